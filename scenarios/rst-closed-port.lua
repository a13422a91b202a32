title "A port where nobody listens"
asks "Where does ECONNREFUSED come from, and how fast?"
watch "One SYN, one RST that acknowledges it; connect fails after a single round trip."

local a, b = host "a", host "b"
link(a, b, "delay 20ms")

a:app(function()
    local began = now()
    local conn, why = a:connect(b, 81)
    check(conn == nil and why == "ECONNREFUSED", "connect fails with ECONNREFUSED")
    check(now() - began < 0.05, "after one round trip, not after a timeout")
    check(a:count() == 0, "nothing is left of it")
end)

at_end(function() check(b:counter("TcpOutRsts") == 1, "the host answered with an RST") end)

conclude [[A host that has no such listener answers a SYN with an RST, and connect fails at once with
    ECONNREFUSED. A timeout instead means that the SYN or its answer was dropped on the way: a
    firewall, or no such host.]]
