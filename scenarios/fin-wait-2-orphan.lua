title "FIN-WAIT-2 and tcp_fin_timeout"
asks "How long does a closed end wait for a peer that does not close?"
watch "60 s at a. What b sends afterwards is answered by RST."

local a, b = host "a", host "b"
link(a, b, "delay 20ms")
local timeout = knob("timeout", 60, "net.ipv4.tcp_fin_timeout in seconds")
a:knob("net.ipv4.tcp_fin_timeout", timeout)

b:serve(80, function(conn)
    conn:recv_all()
    sleep(timeout + 30)
    conn:send "late"

end)
a:app(function()
    local conn = a:connect(b, 80)
    conn:close()
    check(conn:wait_state("FIN-WAIT-2", 1), "a waits for b's FIN")
    local since = now()
    check(conn:wait_state("CLOSED", 10000), "and not for ever")
    check(math.abs(now() - since - timeout) < 1, "but for tcp_fin_timeout")
    check(a:counter "TcpExtTW" <= 1, "there was no TIME-WAIT to speak of")
end)
at_end(function()
    check(a:counter "TcpOutRsts" == 1, "b's late data is answered by RST")
end)
conclude [[An orphan in FIN-WAIT-2 waits tcp_fin_timeout seconds. A program that only shut down its
    sending side (half-close) waits as long as it likes.]]
