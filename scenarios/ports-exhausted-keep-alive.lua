title "Ports run out, and keep-alive cures it"
asks "Ten local ports and twenty requests a second to one server: how long does that go well?"
watch "With a connection for each request the ports are gone after ten. On one connection they never are."

local a, b = host "a", host "b"
link(a, b, "delay 1ms")
a:knob("net.ipv4.ip_local_port_range", "40000 40009")
a:knob("net.ipv4.tcp_tw_reuse", 0)
local requests = knob("requests", 200, "how many are asked")

b:serve(80, function(conn)
    conn.quiet = true
    while true do
        local data = conn:recv()
        if not data or data == "" then break end
        conn:send "answer"
    end
    conn:close()
end, { quiet = true })

local function new()
    local conn, why = a:connect(b, 80, { quiet = true })
    if conn then conn.quiet = true end
    return conn, why
end
-- How many of the requests were answered, and the first error.
local function ask(keep)
    local answered, conn, why, first = 0, nil, nil, nil
    for _ = 1, requests do
        if not conn then conn, why = new() end
        first = first or not conn and why or nil
        if conn and conn:send "x" and conn:recv(100, 1) == "answer" then answered = answered + 1 end
        if conn and not keep then
            conn:close()
            conn = nil
        end
        sleep(0.05)
    end
    if conn then conn:close() end
    return answered, first
end
a:app(function()
    local answered, why = ask(false)
    check(answered == 10, ("a connection for each: %d of %d are answered"):format(answered, requests))
    check(why == "EADDRNOTAVAIL", "the rest fails: " .. tostring(why))
    check(a:count "TIME-WAIT" == 10, "all ports are in TIME-WAIT")
    sleep(60)
    answered, why = ask(true)
    check(answered == requests and not why, ("one connection for all: %d of %d"):format(answered, requests))
    sleep(0.1)
    check(a:count "TIME-WAIT" == 1, "and one TIME-WAIT in the end")
end)
conclude [[What does not close needs no TIME-WAIT. Where keep-alive is not possible: a wider
    ip_local_port_range, more addresses, or tcp_tw_reuse (see ports-exhausted).]]
