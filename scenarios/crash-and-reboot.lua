title "The server crashes and reboots"
asks "The power fails at b in the middle of a connection. When does a learn of it?"
watch "While b is down nothing answers. After the boot b says RST: it knows no such connection."

local a, b = host "a", host "b"
link(a, b, "delay 20ms")

b:serve(80, function(conn) while conn:recv() do end end)
local failed_at, why
a:app(function()
    local conn = a:connect(b, 80)
    conn:send "before"
    sleep(5)
    conn:send "into the dark"
    local _, problem = conn:recv()
    failed_at, why = now(), problem
end)
at(3, function() b:crash() end)
at(8, function() b:boot() end)
at_end(function()
    check(why == "ECONNRESET", "a sees ECONNRESET")
    check(failed_at > 8, "not while b was down, only after it is back")
    check(a:counter "TcpRetransSegs" >= 3, "until then a repeats its segment")
    check(b:counter "TcpOutRsts" == 1, "b resets what it does not know")
end)
conclude [[A dead host says nothing, so the sender cannot tell it from a slow one: it repeats. A host
    that came back has forgotten, and says so with a RST.]]
