title "connect succeeds, read times out"
asks "connect() is quick, the request is sent, and no answer comes. The server never saw a connection. How?"
watch "The server's accept queue is full, so it drops the last ACK; the client is ESTABLISHED, alone."

local a, b = host "a", host "b"
link(a, b, "delay 10ms")
local stuck = knob("stuck", 60, "seconds for which the server accepts nobody")

b:app("server", function()
    local listener = b:listen(80, { backlog = 1, quiet = true })
    sleep(stuck)
    while true do
        local conn = listener:accept(20)
        if not conn then return end
        conn.quiet = true
        conn:recv()
        conn:send "answer"
        conn:close()
    end
end)
for _ = 1, 2 do -- two fit into the queue
    a:app(function()
        sleep(1)
        local conn = a:connect(b, 80, { quiet = true })
        conn.quiet = true
        conn:send "request"
        conn:recv_all()
        conn:close()
    end)
end
a:app(function()
    sleep(1)
    local conn = a:connect(b, 80, { timeout = 5 })
    check(conn and now() < 1.1, "connect succeeds, at once")
    check(conn:send "request" == 7, "the request is taken")
    local data, why = conn:recv(100, 5)
    if stuck > 10 then
        check(not data and why == "timeout", "no answer in 5 s: a read timeout")
        expect_state(conn, "ESTABLISHED")
        check(b:count "ESTABLISHED" == 2, "at the server this connection is not among the ESTABLISHED")
        check(b:drops "tcp_accept_queue" >= 2, "its ACK and its data were dropped: the accept queue is full")
    else
        check(data == "answer", "the server came in time")
    end
    conn:close()
end)
conclude [[The handshake is done by the stack, and for the client it is over with the SYN/ACK. A read
    timeout behind a quick connect often means a full accept queue at the server: look at
    ListenOverflows, and at Recv-Q of `ss -l` there.]]
