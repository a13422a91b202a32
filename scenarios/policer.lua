title "A policer"
asks "A provider drops all that is above 5 Mbit/s, without a queue. What does a sender make of that?"
watch "The first burst passes at full speed, then a great part of a window is lost at once."

local seen = {}
for _, algorithm in ipairs { "cubic", "bbr" } do
    local a, b = host("a-" .. algorithm), host("b-" .. algorithm)
    local bucket = knob("bucket", 30000, "bytes that may pass at once")
    link(a, b, ("up: delay 20ms rate 100mbit police 5mbit bucket %d down: delay 20ms"):format(bucket))
    b:serve(80, function(conn) conn:recv_pattern() conn:close() end, { quiet = true, rcvbuf = 1000000 })
    a:app(function()
        local conn = a:connect(b, 80, { sndbuf = 1000000, congestion = algorithm })
        a:app(function() conn:send_pattern(100000000) end)
        sleep(3)
        local from = conn:info()
        sleep(7)
        local to = conn:info()
        local sent = (to.data_segs_out - from.data_segs_out)
        seen[algorithm] = { rate = (to.bytes_acked - from.bytes_acked) * 8 / 7e6,
            lost = (to.retrans - from.retrans) * 100 / sent, rtt = to.srtt_us / 1000,
            timeouts = a:counter "TcpExtTCPTimeouts" }
        local s = seen[algorithm]
        note(("%s: %.1f Mbit/s, %.1f %% lost"):format(algorithm, s.rate, s.lost))
    end)
end
lasts(10.5)

at_end(function()
    for _, name in ipairs { "cubic", "bbr" } do
        local s = seen[name]
        check(s.rate > 4, ("%s gets %.2f of 5 Mbit/s"):format(name, s.rate))
        check(s.rtt < 45, ("and no delay tells it of the limit: %.0f ms, as if the link were empty"):format(s.rtt))
    end
    check(seen.cubic.lost < 5, ("CUBIC loses %.1f %% of what it sends"):format(seen.cubic.lost))
    check(seen.bbr.lost < 6, ("BBR %.1f %%: losses bound what it has in flight"):format(seen.bbr.lost))
end)

conclude [[A policer has no queue: there is nothing to feel before the loss. It drops whatever finds its
    bucket empty, and a window that fitted a moment ago is cut. A shaper, which delays, gives the same
    rate without loss; where only a policer is to be had, a bucket of a round trip's worth helps.]]
