title "SO_REUSEADDR and SO_REUSEPORT"
asks "A server restarts while old connections are in TIME-WAIT: may it bind again? And two servers?"
watch "Without SO_REUSEADDR: EADDRINUSE. With it: at once. Two listeners need SO_REUSEPORT, both of them."

local a, b = host "a", host "b"
link(a, b, "delay 5ms")

b:app(function()
    local first = b:listen(80, { reuseaddr = true })
    local conn = first:accept()
    conn:close() -- the server closes first: its end keeps the TIME-WAIT
    first:close()
    sleep(1)
    check(b:count "TIME-WAIT" == 1, "the old connection is in TIME-WAIT")
    local again, why = b:listen(80)
    check(not again and why == "EADDRINUSE", "a plain bind fails: EADDRINUSE")
    again, why = b:listen(80, { reuseaddr = true })
    check(again, "with SO_REUSEADDR the restart succeeds")
    local other
    other, why = b:listen(80, { reuseaddr = true })
    check(not other and why == "EADDRINUSE", "but two listeners on one port do not")
    local one = b:listen(81, { reuseport = true })
    local two = b:listen(81, { reuseport = true })
    check(one and two, "two listeners with SO_REUSEPORT share a port")
    sleep(1)
    check(one:waiting() + two:waiting() == 40, "all connections came to one of the two")
    check(one:waiting() > 5 and two:waiting() > 5, "and both got their share")
end)
a:app(function()
    sleep(0.1)
    local conn = a:connect(b, 80)
    conn:recv_all()
    conn:close()
    sleep(1)
    for _ = 1, 40 do a:connect(b, 81, { quiet = true }) end
end)
lasts(5)
conclude [[SO_REUSEADDR forgives old connections, not a second listener; every server should set it.
    SO_REUSEPORT spreads new connections over several listeners by their addresses and ports.]]
