title "The SYN/ACK is lost"
asks "Who notices that the second segment of the handshake is lost, and after how long?"
watch "Both ends repeat: the client its SYN after 1 s, for it saw no answer; the server its SYN/ACK."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
local lost = knob("lost", 1, "how many SYN/ACKs are lost")

wire:lose("first " .. lost .. " SYN/ACK from b")

b:serve(80, function(conn)
    conn:send("hello, " .. conn:recv())
    conn:close()
end)

a:app(function()
    local began = now()
    local conn = a:connect(b, 80)
    check(conn, "the connection is made in the end")
    local took = 2 ^ lost - 1
    check(math.abs(now() - began - took - 0.04) < 0.001, "it takes " .. took .. " s more than a round trip")
    conn:send("world")
    check(conn:recv_all() == "hello, world", "no byte is lost with it")
    conn:close()
end)

at_end(function()
    check(a:counter("TcpRetransSegs") >= 1, "the client repeats its SYN")
end)

conclude [[A lost SYN/ACK looks to the client like a lost SYN: it waits one second and asks again.
    The server keeps the half-open connection meanwhile and answers the second SYN with the same
    SYN/ACK.]]
