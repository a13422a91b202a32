title "MSS against MTU: a narrow link in the middle"
asks "Both ends have an MTU of 1500, a link between them 1300. How do they find out?"
watch "The first full segments are too big for the middle; its router says so, with the MTU that fits."

local a, r1, r2, b = host "a", router "r1", router "r2", host "b"
link(a, r1, "delay 1ms mtu 1500")
link(r1, r2, "delay 10ms mtu 1300")
link(r2, b, "delay 1ms mtu 1500")

local got, learned
b:serve(80, function(conn) got = conn:recv_pattern() conn:close() end)
a:app(function()
    local conn = a:connect(b, 80)
    check(conn:info().mss > 1300, "the handshake agrees on what both ends can take")
    conn:send_pattern(100000)
    sleep(1)
    learned = conn:info().pmtu
    conn:shutdown "wr"
    conn:recv_all()
    conn:close()
end)
at_end(function()
    check(r1:drops "ip_too_big" >= 1, "r1 refuses what does not fit: the packets bear DF")
    check(learned == 1300, "a learns the path's MTU: 1300")
    check(got == 100000, "and everything arrives, in smaller segments")
end)
conclude [[The MSS says what the ends can take, not what lies between. Path MTU discovery needs the
    routers' ICMP: see mtu-black-hole for what happens where somebody filters it.]]
