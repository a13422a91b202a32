title "The third segment is lost, and the client stays silent"
asks "The client waits for a greeting. Who saves the connection?"
watch "The server repeats its SYN/ACK after 1 s; the client answers it with another ACK."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
local lost = knob("lost", 1, "how many ACKs of the client are lost")
wire:lose("first " .. lost .. " ACK from a")

b:serve(25, function(conn)
    conn:send "220 ready"
    conn:recv_all()
    conn:close()
end)
a:app(function()
    local conn = a:connect(b, 25)
    check(conn:recv(100) == "220 ready", "the greeting comes")
    check(now() > 1, "but only after the server's timeout of 1 s")
    conn:close()
end)
at_end(function()
    check(b:counter "TcpRetransSegs" == lost, "each lost ACK costs one repeated SYN/ACK")
end)
conclude [[Here only the server's timer helps: an ACK is never repeated on its own, for nothing
    acknowledges an ACK.]]
