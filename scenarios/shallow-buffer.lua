title "A buffer of a tenth"
asks "The bottleneck can hold three frames. Which congestion control still uses the link?"
watch "Bursts overflow the queue at once. Who paces loses less; who takes each loss for congestion sends less."

local seen, runs = {}, { "reno", "cubic", "cubic paced", "bbr" }
for _, run in ipairs(runs) do
    local name, algorithm = run:gsub(" ", "-"), run:match "%a+"
    local a, b = host("a-" .. name), host("b-" .. name)
    link(a, b, "up: delay 20ms rate 10mbit queue 4 down: delay 20ms") -- 34 frames fill the path
    a:knob("net.weir.tcp_pacing", run:find "paced" and 1 or 0)
    b:serve(80, function(conn) conn:recv_pattern() conn:close() end, { quiet = true, rcvbuf = 1000000 })
    a:app(function()
        local conn = a:connect(b, 80, { sndbuf = 1000000, congestion = algorithm })
        a:app(function() conn:send_pattern(100000000) end)
        sleep(2)
        local from = conn:info().bytes_acked
        sleep(6)
        seen[run] = { rate = (conn:info().bytes_acked - from) * 8 / 6e6, again = conn:info().retrans }
        note(("%s: %.1f Mbit/s, %d sent again"):format(run, seen[run].rate, seen[run].again))
    end)
end
lasts(8.5)

at_end(function()
    for _, run in ipairs(runs) do
        check(seen[run].rate > 5, ("%s: %.2f Mbit/s of 10, %d sent again"):format(run, seen[run].rate, seen[run].again))
    end
    check(seen.bbr.rate > seen.reno.rate, "BBR is ahead of Reno: a loss is no reason to halve")
    check(seen["cubic paced"].rate > seen.cubic.rate, "and pacing helps CUBIC: no burst overflows the queue")
end)

conclude [[Half of the window must still fill the path after a loss; that needs a queue as long as the path
    (or longer). Where it is shorter, Reno and CUBIC run dry after each loss. BBR keeps its rate
    below 2 % of loss, and leaves 15 % of what fits to others.]]
