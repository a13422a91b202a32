title "A reader that does not read: the zero window"
asks "What does TCP do when the receiving program stops reading?"
watch "The window shrinks to 0, the sender's probes go out at growing intervals, each is answered with 'still 0'."

local a, b = host "a", host "b"
link(a, b, "delay 10ms")
local server

b:serve(80, function(conn)
    server = conn
    sleep(20)
    check(conn:recv_pattern() == 50000, "every byte arrives, late but whole")
    conn:close()
end, { rcvbuf = 8192 })

a:app(function()
    local conn = a:connect(b, 80)
    conn:send_pattern(50000)
    conn:close()
end)

at(15, function()
    check(b:counter("TcpExtTCPToZeroWindowAdv") >= 1, "the receiver said that it has no room")
    check(a:counter("TcpExtTCPWinProbe") >= 4, "the sender asks again and again")
    check(a:counter("TcpExtTCPTimeouts") == 0, "and it does not take the silence for loss")
end)

conclude [[Flow control is the receiver's: with its buffer full it offers a window of 0 and the sender
    stops. So that a lost window update can not stop it for ever, the sender probes at doubling
    intervals; as long as the probes are answered the connection lives, however long it takes.]]
