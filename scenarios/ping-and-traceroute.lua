title "ping and traceroute across three routers"
asks "How does traceroute find out who stands on the way?"
watch "TTL 1, 2, 3, 4: each router in turn lets one die and says so; the last echo reaches b."

local a, r1, r2, r3, b = host "a", router "r1", router "r2", router "r3", host "b"
link(a, r1, "delay 1ms")
link(r1, r2, "delay 5ms")
link(r2, r3, "delay 20ms")
link(r3, b, "delay 1ms")
show(a, r1)

a:app(function()
    local rtt = a:ping(b)
    check(rtt and math.abs(rtt - 0.054) < 1e-6, "ping takes twice the sum of the delays: 54 ms")
    local hops = a:traceroute(b)
    check(#hops == 4, "b is four hops away")
    check(hops[1] == r1:addr(a), "the first is r1, at its address towards a")
    check(hops[2] == r2:addr(r1) and hops[3] == r3:addr(r2), "then r2 and r3")
    check(hops[4] == b:addr(), "the fourth is b itself")
    local _, why = a:ping("10.99.0.1")
    check(why == "ENETUNREACH", "an address that no route leads to: ENETUNREACH, at once")
end)
at_end(function()
    check(r1:drops "ip_ttl" == 1 and r2:drops "ip_ttl" == 1 and r3:drops "ip_ttl" == 1,
        "each router let one packet die")
end)
conclude [[The TTL was made against loops; traceroute uses the complaint of the router where it runs
    out. A hop that shows * is a router that does not complain, not one that is broken.]]
