title "CLOSE_WAIT: the program forgot to close"
asks "A server reads the end of the stream and never closes. What piles up, and where?"
watch "CLOSE-WAIT at the server has no timer; FIN-WAIT-2 at the client has one."

local a, b = host "a", host "b"
link(a, b, "delay 5ms")
local leaks = knob("leaks", 20, "connections that the server forgets to close")

local forgotten = {}
b:serve(80, function(conn)
    conn.quiet = true
    conn:recv_all()
    if #forgotten < leaks then forgotten[#forgotten + 1] = conn else conn:close() end
end, { quiet = true })
a:app(function()
    for _ = 1, 30 do
        local conn = a:connect(b, 80, { quiet = true })
        conn.quiet = true
        conn:send "x"
        conn:close()
        sleep(0.1)
    end
end)
at(10, function()
    check(b:count "CLOSE-WAIT" == leaks, "each forgotten one is in CLOSE-WAIT")
    check(a:count "FIN-WAIT-2" == leaks, "and in FIN-WAIT-2 at the client")
end)
at(7000, function()
    check(a:count() == 0, "the client's tcp_fin_timeout has freed all of its ends")
    check(b:count "CLOSE-WAIT" == leaks, "at the server all are still there, two hours later")
end)
at_end(function() note "CLOSE-WAIT ends when the program closes: look for the missing close()" end)
conclude [[CLOSE_WAIT means: the peer is done, and the program here has not closed. No knob helps; the
    program must close what it has read to the end.]]
