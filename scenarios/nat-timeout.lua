title "The NAT forgets, the ends do not"
asks "An idle connection through a NAT outlives its mapping. Who notices?"
watch "After the pause a's segments leave with a new port: b knows no such connection and says RST."

local a, nat, b = host "a", router "nat", host "b"
link(a, nat, "delay 5ms")
local outside = link(nat, b, "delay 10ms")
nat:nat(outside, { tcp = 300 })
local keepalive = knob("keepalive", 0, "seconds between keepalive probes, 0: none")

local peer
b:serve(80, function(conn)
    peer = conn.paddr
    while true do
        local data = conn:recv()
        if not data or data == "" then break end
        conn:send(data)
    end
    conn:close()
end)
a:app(function()
    local set = keepalive > 0 and { keepalive = true, keepidle = keepalive, keepintvl = 10 } or {}
    local conn = a:connect(b, 80, set)
    conn:send "ping"
    check(conn:recv() == "ping", "b answers")
    sleep(600)
    conn:send "still there?"
    local data, why = conn:recv(100, 60)
    if keepalive > 0 then
        check(data == "still there?", "keepalive kept the mapping: b answers after ten minutes")
    else
        check(not data and why == "ECONNRESET", "after ten idle minutes: ECONNRESET")
        check(b:count "ESTABLISHED" == 1, "b's end is still there, and will never hear of it")
    end
    conn:close()
end)
at_end(function()
    check(peer == nat:addr(b), "b sees the NAT's address, not a's")
end)
conclude [[A NAT keeps state that the protocol knows nothing of. Idle connections through it need
    keepalive below its timeout, or a protocol that opens them again.]]
