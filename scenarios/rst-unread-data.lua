title "Closed with unread data"
asks "Why does a server that answers and closes sometimes reset the connection?"
watch "The server closes without reading all of the request: the stack sends RST and not FIN."

local a, b = host "a", host "b"
link(a, b, "delay 10ms")

b:serve(80, function(conn)
    conn:recv_exactly(4)
    sleep(0.1) -- the rest of the request is there by now
    conn:send("error: too large")
    conn:close()
end)

a:app(function()
    local conn = a:connect(b, 80)
    conn:send("POST and a body that the server does not read")
    local _, why = conn:recv_all(5)
    check(why == "ECONNRESET", "the client sees ECONNRESET and may lose the answer")
end)

at_end(function()
    check(b:counter("TcpExtTCPAbortOnClose") == 1, "the stack counts a close with unread data")
    check(b:count("TIME-WAIT") == 0, "no TIME-WAIT follows an RST")
end)

conclude [[close() with bytes in the receive buffer means that the peer's data was lost, and the peer
    must learn that: RFC 2525 asks for an RST. A server that answers early should shut down its
    sending side, read the rest, and close then.]]
