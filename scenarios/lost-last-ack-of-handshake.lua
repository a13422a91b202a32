title "The third segment of the handshake is lost"
asks "The client is established, the server is not: what now?"
watch "The first data carries the same acknowledgment, and that is enough."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
wire:lose "first ACK from a"

local accepted
b:serve(80, function(conn)
    accepted = now()
    conn:send(conn:recv())
    conn:close()
end)
a:app(function()
    local conn = a:connect(b, 80)
    expect_state(conn, "ESTABLISHED")
    sleep(0.1)
    check(b:count "SYN-RECEIVED" == 1, "meanwhile the server is still in SYN-RECEIVED")
    conn:send "hello"
    check(conn:recv_all() == "hello", "the data arrives whole")
    conn:close()
end)
at_end(function()
    check(math.abs(accepted - 0.16) < 0.001, "the data itself completes the handshake")
end)
conclude [[Each segment acknowledges, so the first data does the work of the lost ACK. A client that
    waits for the server to speak first would have waited for the repeated SYN/ACK instead.]]
