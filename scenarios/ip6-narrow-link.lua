title "IPv6: a narrow link, and nobody on the way who cuts"
asks "Both ends have an MTU of 1500, a link between them 1300. In IPv6 no router may fragment. What happens?"
watch "Neighbours are asked for first. The full segments are too big; the router says what fits. IPv4 beside it works too."

ip6()
local a, r1, r2, b = host "a", router "r1", router "r2", host "b"
link(a, r1, "delay 1ms mtu 1500")
link(r1, r2, "delay 10ms mtu 1300")
link(r2, b, "delay 1ms mtu 1500")

local got, learned, mss, four, hops
local far = {}
b:serve(80, function(conn) got = (got or 0) + conn:recv_pattern() conn:close() end)
local d = b:udp(53)
b:app("echo", function()
    for _ = 1, 2 do
        local data, addr, port = d:recv(20)
        if data then d:send(addr, port, data) end
    end
end)
a:app(function()
    local conn = a:connect(b, 80)
    mss = conn:info().mss
    conn:send_pattern(100000)
    sleep(1)
    learned = conn:info().pmtu
    conn:shutdown "wr"
    conn:recv_all()
    conn:close()
    local old = a:connect(b:addr4(), 80)
    four = old ~= nil
    old:send_pattern(5000)
    old:shutdown "wr"
    old:recv_all()
    old:close()
    local u = a:udp()
    for try = 1, 2 do
        u:send(b, 53, ("x"):rep(3000))
        far[try] = u:recv(1) or "nothing"
    end
    hops = a:traceroute(b)
end)
at_end(function()
    check(mss and mss > 1400 and mss <= 1440, "the handshake agrees on 1440 less timestamps: 40 bytes of header")
    check(r1:drops "ip_too_big" >= 1 and r1:counter "Icmp6OutPktTooBigs" >= 1, "r1 refuses what does not fit, and says so")
    check(learned == 1300, "a learns the path's MTU: 1300")
    check(four and got == 105000, "everything arrives; one listener takes both versions")
    check(far[1] == "nothing", "b's first answer is cut for 1500 bytes, and r2 drops it")
    check(#(far[2] or "") == 3000, "the second one is cut for 1300: by its sender")
    check(r1:counter "Ip6FragCreates" == 0 and a:counter "Ip6FragCreates" >= 3, "no router cut anything")
    check(hops and #hops == 3, "three hops away")
end)
conclude [[In IPv6 only the sender fragments, and routers drop what is too big with ICMPv6 "packet too
    big". Who filters ICMPv6 breaks IPv6: there is no DF to leave out.]]
