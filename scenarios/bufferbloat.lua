title "Bufferbloat: a queue ten times too long"
asks "The bottleneck has room for ten times what the path holds. Is that good?"
watch "cwnd and round-trip time of CUBIC and BBR over the same link: the rate is equal, the delay is not."

local seen = {}
for _, algorithm in ipairs { "cubic", "bbr" } do
    local a, b = host("a-" .. algorithm), host("b-" .. algorithm)
    link(a, b, "up: delay 20ms rate 10mbit queue 340 down: delay 20ms") -- 34 frames fill the path
    b:serve(80, function(conn) conn:recv_pattern() conn:close() end, { quiet = true, rcvbuf = 4000000 })
    a:app(function()
        local conn = a:connect(b, 80, { sndbuf = 4000000, congestion = algorithm })
        a:app(function() conn:send_pattern(100000000) end)
        sleep(3)
        local from, sum = conn:info().bytes_acked, 0
        for _ = 1, 60 do sleep(0.1) sum = sum + conn:info().srtt_us / 60000 end
        seen[algorithm] = { rate = (conn:info().bytes_acked - from) * 8 / 6e6, rtt = sum }
        note(("%s: %.1f Mbit/s, RTT %.0f ms"):format(algorithm, seen[algorithm].rate, sum))
    end)
end
lasts(9.5)

at_end(function()
    local cubic, bbr = seen.cubic, seen.bbr
    check(cubic.rate > 9, ("CUBIC fills the link: %.2f Mbit/s of 10"):format(cubic.rate))
    check(bbr.rate > 9, ("BBR does, too: %.2f Mbit/s"):format(bbr.rate))
    check(cubic.rtt > 200, ("CUBIC fills the queue as well: a round trip of 40 ms takes %.0f ms"):format(cubic.rtt))
    check(bbr.rtt < 60, ("BBR leaves it empty: %.0f ms"):format(bbr.rtt))
end)

conclude [[A sender that slows down only when something is lost fills any queue before it does. Everything
    that shares the queue, a game or a call, then waits a fifth of a second. BBR paces at the rate that
    it measures and looks for the shortest round trip, so it needs no loss to stop. Where the queue can
    be changed, make it shorter, or let it mark (ECN).]]
