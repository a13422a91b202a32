title "SO_LINGER with 0 seconds"
asks "What does SO_LINGER {1, 0} do, which some use to be rid of TIME-WAIT?"
watch "close() sends RST; what was written and not yet acknowledged is thrown away."

local a, b = host "a", host "b"
link(a, b, "delay 10ms")
local got, why

b:serve(80, function(conn)
    got, why = conn:recv_all(5)
end)

a:app(function()
    local conn = a:connect(b, 80, { linger = 0 })
    conn:send("the last words")
    conn:close()
end)

at_end(function()
    check(a:count("TIME-WAIT") == 0, "the closing side has no TIME-WAIT")
    check(got == nil and why == "ECONNRESET", "the peer gets ECONNRESET and not the data")
    check(a:counter("TcpOutRsts") == 1, "one RST went out")
end)

conclude [[Linger 0 turns close() into an abort: no FIN, no TIME-WAIT, and no guarantee for anything
    that was sent before. It hides the number of TIME-WAITs and loses data; let the client close
    first instead, or use tcp_tw_reuse.]]
