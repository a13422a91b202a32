title "A black hole: too big, and nobody says so"
asks "The router in the middle drops what is too big and its ICMP is filtered. What works, what hangs?"
watch "The handshake and a small request pass. The full segments vanish, again and again."

local a, r1, r2, b = host "a", router "r1", router "r2", host "b"
link(a, r1, "delay 1ms")
link(r1, r2, "delay 10ms mtu 1300")
link(r2, b, "delay 1ms")
r2:mute()
local clamp = knob("clamp", 0, "TCP_MAXSEG at b: 1200 works around it")
local probing = knob("probing", 0, "net.ipv4.tcp_mtu_probing at b: 1 finds it out, 2 never falls in")
b:knob("net.ipv4.tcp_mtu_probing", probing)

b:serve(80, function(conn)
    conn:recv()
    conn:send(("x"):rep(20000))
    conn:close()
end, clamp > 0 and { maxseg = clamp } or {})
local data, why
a:app(function()
    local conn = a:connect(b, 80)
    conn:send "GET /small-request"
    data, why = conn:recv_all(30)
end)
at_end(function()
    if clamp > 0 then
        check(data and #data == 20000, "with smaller segments all arrives")
        return
    end
    if probing > 0 then
        check(data and #data == 20000, "probing finds segments that pass")
        check(b:counter "TcpExtTCPTimeouts" == (probing == 1 and 4 or 0), "after three repetitions, or at once")
        return
    end
    check(not data and why == "timeout", "the answer does not come in 30 s")
    check(r2:drops "ip_too_big" >= 4, "each repetition is dropped in the middle, too")
    check(b:counter "TcpRetransSegs" >= 4, "b takes it for loss, and repeats")
end)
lasts(60)
conclude [["Small things work, big ones hang" is the sign of a black hole. Let ICMP type 3 code 4
    through, or make the segments smaller: MSS clamping at the router, TCP_MAXSEG at the host. Or let
    the host find out by itself: net.ipv4.tcp_mtu_probing (RFC 4821), --set probing=1.]]
