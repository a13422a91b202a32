title "The lost window update"
asks "The receiver makes room and says so, and that one segment is lost: does the connection hang?"
watch "The window update is cut by an x; the next probe of the sender draws it again."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 10ms")
local opened, resumed

b:serve(80, function(conn)
    sleep(3)
    opened = now()
    wire:lose("first ACK from b") -- the ACK that tells of the room
    conn:recv_exactly(1)
    conn:recv_all()
    resumed = now()
    conn:close()
end, { rcvbuf = 8192, quiet = true })

a:app(function()
    local conn = a:connect(b, 80)
    conn:send_pattern(30000)
    conn:close()
end)

at_end(function()
    check(resumed, "the transfer goes on")
    check(a:counter("TcpExtTCPWinProbe") >= 1, "because the sender probed")
end)

conclude [[An ACK is never repeated by itself, so a lost window update could leave both ends waiting
    for each other. The sender's window probe, sent from time to time while the window is 0, draws an
    ACK with the window as it is now, and the transfer goes on.]]
