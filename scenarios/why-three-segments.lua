title "Why the handshake needs three segments"
asks "An old duplicate of a SYN comes to a listener. What keeps it from making a connection?"
watch "The old SYN gets a SYN/ACK. a knows nothing of it and answers RST: that is the third segment."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
wire:copy("first SYN from a", 100)

local accepted = 0
b:serve(80, function(conn) accepted = accepted + 1 conn:recv_all() conn:close() end)
a:app(function()
    local conn = a:connect(b, 80)
    conn:send "the real one"
    conn:close()
end)
at(100.03, function()
    check(b:count "SYN-RECEIVED" == 1, "the old SYN opens a half-open connection")
    check(accepted == 1, "but no program is told")
end)
at_end(function()
    check(b:count "SYN-RECEIVED" == 0, "a's RST removes it")
    check(accepted == 1, "one connection was asked for, one was accepted")
    check(a:counter "TcpOutRsts" == 1, "a denies what it did not ask for")
end)
conclude [[With two segments b would take the old SYN for a connection, and serve somebody who is not
    there. The third lets the client deny it.]]
