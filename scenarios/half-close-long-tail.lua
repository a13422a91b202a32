title "Half-close with a long tail"
asks "a has sent its FIN and reads an answer that takes ten minutes. Does tcp_fin_timeout cut it off?"
watch "FIN-WAIT-2 for ten minutes at a, because its program still holds the socket: no timer runs."

local a, b = host "a", host "b"
link(a, b, "delay 20ms")
local parts = knob("parts", 60, "parts of the answer, one each ten seconds")

local served
b:serve(80, function(conn)
    served = conn
    conn:recv_all()
    for _ = 1, parts do
        sleep(10)
        conn:send_pattern(2000)
    end
    conn:close()
end)
a:app(function()
    local conn = a:connect(b, 80)
    conn:send "a question"
    conn:shutdown "wr"
    at(5 * parts, function()
        expect_state(conn, "FIN-WAIT-2")
        expect_state(served, "CLOSE-WAIT")
    end)
    check(conn:recv_pattern() == 2000 * parts, "the tail arrives whole")
    check(now() > 10 * parts, "all of it, though it took longer than tcp_fin_timeout (60 s)")
    expect_state(conn, "TIME-WAIT")
    conn:close()
end)
at_end(function() check(a:counter "TcpOutRsts" == 0, "nobody is reset") end)
conclude [[tcp_fin_timeout is for sockets that are closed: see fin-wait-2-orphan. Who has said
    shutdown(SHUT_WR) and still reads may wait as long as it likes; if that shall end, the program
    needs a timeout of its own, or keepalive.]]
