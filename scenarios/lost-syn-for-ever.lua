title "All SYNs are lost"
asks "How long does connect try, and how does it fail?"
watch "Seven SYNs: after 0, 1, 3, 7, 15, 31 and 63 s; the end comes 64 s after the last."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
local gone = wire:lose "each SYN from a"

b:listen(80)
a:app(function()
    local conn, why = a:connect(b, 80)
    check(not conn and why == "ETIMEDOUT", "connect fails with ETIMEDOUT")
    check(math.abs(now() - 127) < 0.01, "after 127 s: 1+2+4+8+16+32+64")
end)
at_end(function()
    check(gone:hits() == 7, "a SYN and six repetitions (net.ipv4.tcp_syn_retries)")
    check(a:count() == 0, "nothing is left of the attempt")
end)
conclude [[connect gives up after 127 s with ETIMEDOUT. Silence means that packets vanish: a firewall
    that drops, a dead host; a refusal would have come at once, as ECONNREFUSED.]]
