title "Connection reset, then broken pipe"
asks "Why does the first write after the peer has gone succeed, and only the second one fail?"
watch "The peer's FIN says only that it will send no more; the RST that tells the truth is drawn by the first write."

local a, b = host "a", host "b"
link(a, b, "delay 10ms")

b:serve(80, function(conn)
    conn:recv()
    conn:close()
end)

a:app(function()
    local conn = a:connect(b, 80)
    conn:send("hello")
    check(conn:recv() == "", "the peer has closed")
    check(conn:send("one") == 3, "the first write succeeds: the stack takes it")
    sleep(0.1)
    local n, why = conn:send("two")
    check(n == nil and why == "EPIPE", "the second fails with EPIPE, after the RST has come")
end)

at_end(function() check(b:counter("TcpOutRsts") == 1, "the closed end answered data with an RST") end)

conclude [[A FIN may be a half-close, so writing after it is legal and the first write goes out. The
    peer's stack, whose program has gone, answers it with an RST, and from then on a write fails with
    EPIPE (and SIGPIPE). A read in that moment would have said ECONNRESET in another state.]]
