title "TIME-WAITs pile up where connections are closed first"
asks "A server answers 500 short connections a second and closes each. What does it hold after 20 seconds?"
watch "The count of TIME-WAIT at the side that closes first, and at the other: none. Then --set client_first=true."

local a, b = host "a", host "b"
link(a, b, "delay 0.1ms")
local per_second = knob("per_second", 500, "connections a second")
local client_first = knob("client_first", false, "the client closes first: the cure, for the server")

b:serve(80, function(conn)
    conn.quiet = true
    conn:recv()
    conn:send "ok"
    if client_first then conn:recv() end
    conn:close()
end, { quiet = true, backlog = 1000 })

a:app(function()
    for i = 1, 20 * per_second do
        local conn = a:connect(b, 80, { quiet = true })
        conn.quiet = true
        conn:send "x"
        conn:recv()
        if not client_first then conn:recv() end
        conn:close()
        sleep(math.max(0, i / per_second - now()))
    end
    sleep(1)
    local who, other = client_first and a or b, client_first and b or a
    check(who:count "TIME-WAIT" == 20 * per_second, "each connection left a TIME-WAIT where it was closed first")
    check(other:count "TIME-WAIT" == 0, "and none at the other end")
    check(who:memory() / (20 * per_second) < 200, "one costs less than 200 bytes")
end)
at_end(function() check(a:count() == 0 and b:count() == 0, "60 s later all are gone") end)
conclude [[500 a second times 60 s are 30,000 TIME-WAITs at the end that closes first. A server is rid of
    them if it lets its clients close (--set client_first=true): there they are spread over many hosts.
    They cost little memory; what runs out, at a busy client, are ports: see ports-exhausted.]]
