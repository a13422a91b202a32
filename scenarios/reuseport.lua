title "SO_REUSEPORT: two listeners, one port"
asks "May two servers listen at one port, and which of them gets a connection?"
watch "Plain, or with SO_REUSEADDR: EADDRINUSE. With SO_REUSEPORT on both, the connections are spread."

local a, b = host "a", host "b"
link(a, b, "delay 5ms")

b:app(function()
    local first = b:listen(80, { reuseaddr = true })
    local second, why = b:listen(80, { reuseaddr = true })
    check(first and not second and why == "EADDRINUSE", "SO_REUSEADDR does not allow two listeners")
    local one = b:listen(81, { reuseport = true })
    local two = b:listen(81, { reuseport = true })
    check(one and two, "SO_REUSEPORT on both does")
    local three
    three, why = b:listen(81)
    check(not three and why == "EADDRINUSE", "who does not set it stays outside")
    sleep(1)
    check(one:waiting() + two:waiting() == 40, "each connection came to one of the two")
    check(one:waiting() > 5 and two:waiting() > 5, "and both got their share")
end)
a:app(function()
    for _ = 1, 40 do a:connect(b, 81, { quiet = true }) end
end)
lasts(5)
conclude [[SO_REUSEPORT spreads new connections over the listeners of a port by a hash of addresses and
    ports. All of them must set it, so that nobody can steal a port.]]
