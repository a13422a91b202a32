title "Two flows of different length"
asks "Two transfers share a bottleneck, one over 20 ms, one over 160 ms. Who gets what?"
watch "Reno grows by a segment each round trip, so the short one wins; CUBIC grows by the clock."

local share = {}
for _, algorithm in ipairs { "reno", "cubic" } do
    local r, b = router("r-" .. algorithm), host("b-" .. algorithm)
    link(r, b, "up: delay 5ms rate 20mbit queue 60 down: delay 5ms")
    b:serve(80, function(conn) conn:recv_pattern() conn:close() end, { quiet = true, rcvbuf = 1000000 })
    local function flow(name, delay)
        local a = host(name .. "-" .. algorithm)
        link(a, r, "delay " .. delay .. "ms")
        a:app(function()
            local conn = a:connect(b, 80, { sndbuf = 1000000, congestion = algorithm })
            a:app(function() conn:send_pattern(100000000) end)
            sleep(5)
            local from = conn:info().bytes_acked
            sleep(15)
            share[algorithm .. name] = (conn:info().bytes_acked - from) * 8 / 15e6
            note(("%s, %s: %.1f Mbit/s"):format(algorithm, name, share[algorithm .. name]))
        end)
    end
    flow("short", 5)
    flow("long", 75)
end
lasts(20.5)

at_end(function()
    local reno, cubic = share.renoshort / share.renolong, share.cubicshort / share.cubiclong
    check(share.renoshort + share.renolong > 18 and share.cubicshort + share.cubiclong > 18, "the link is full")
    check(reno > 2, ("Reno: the short one gets %.1f times as much (%.1f and %.1f Mbit/s)"):format(reno, share.renoshort, share.renolong))
    check(cubic < reno, ("CUBIC: %.1f times (%.1f and %.1f Mbit/s)"):format(cubic, share.cubicshort, share.cubiclong))
end)

conclude [[Reno's share falls with the square of the round trip or nearly so: it asks more often, and grows
    each time. CUBIC's window depends on the time since the last loss, not on its
    round trips; but where it would be slower than Reno it grows as Reno does (RFC 9438 section 4.3),
    and both lose together, so a good part of the difference remains.]]
