title "UDP and TCP over a lossy link"
asks "The same messages over the same bad link: what arrives?"
watch "UDP's datagrams are sent and forgotten; TCP repeats what is lost, and everything arrives, later."

local a, b = host "a", host "b"
link(a, b, "delay 20ms loss 10%")
local datagrams, stream = 0, nil

b:app("udp", function()
    local socket = b:udp(53)
    while true do
        if not socket:recv(5) then return end
        datagrams = datagrams + 1
    end
end)
b:serve(80, function(conn)
    stream = conn:recv_pattern()
    conn:close()
end, { quiet = true })

a:app(function()
    local socket = a:udp()
    for i = 1, 100 do
        socket:send(b, 53, ("datagram %3d"):format(i))
        sleep(0.01)
    end
    local conn = a:connect(b, 80)
    conn:send_pattern(100 * 1000)
    conn:close()
end)

at_end(function()
    check(datagrams > 70 and datagrams < 100, "of 100 datagrams about a tenth is lost for ever")
    check(stream == 100000, "of the stream not a byte is missing")
    check(a:counter("TcpRetransSegs") > 0, "because what was lost was sent again")
end)

conclude [[UDP adds ports and a checksum to IP and nothing else: what is lost is lost, and nobody is
    told. TCP numbers every byte, acknowledges and repeats. What the application needs decides: a
    late voice packet is worthless, a missing byte of a file is not.]]
