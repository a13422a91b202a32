title "ACKs that come in clumps"
asks "On the way back ACKs pile up and arrive together. The sender's clock is broken: does the link run dry?"
watch "Every 100 ms the way back stands still for 30 ms; then all that waited comes at once."

local algorithms, rate = { "cubic", "bbr" }, {}
for _, algorithm in ipairs(algorithms) do
    local a, b = host("a-" .. algorithm), host("b-" .. algorithm)
    local wire = link(a, b, "up: delay 20ms rate 10mbit queue 40 down: delay 20ms")
    b:serve(80, function(conn) conn:recv_pattern() conn:close() end, { quiet = true, rcvbuf = 1000000 })
    a:app(function()
        while true do
            sleep(0.07)
            for step = 30, 1, -1 do -- what enters now comes out when the clump does
                wire:set(("up: delay 20ms rate 10mbit queue 40 down: delay %dms"):format(20 + step))
                sleep(0.001)
            end
            wire:set "up: delay 20ms rate 10mbit queue 40 down: delay 20ms"
        end
    end)
    a:app(function()
        local conn = a:connect(b, 80, { sndbuf = 1000000, congestion = algorithm })
        a:app(function() conn:send_pattern(100000000) end)
        sleep(2)
        local from = conn:info().bytes_acked
        sleep(4)
        rate[algorithm] = (conn:info().bytes_acked - from) * 8 / 4 / 1e6
        note(("%s: %.2f Mbit/s of 10"):format(algorithm, rate[algorithm]))
    end)
end
lasts(6.5)

at_end(function()
    check(rate.cubic > 9, ("the queue before the link feeds it while no ACK comes: %.2f Mbit/s of 10"):format(rate.cubic))
    check(rate.bbr > 9, ("BBR paces through the silence, for it knows how ACKs are bunched: %.2f"):format(rate.bbr))
end)

conclude [[A window is a promise that ACKs come evenly. Where they come in clumps (Wi-Fi, a busy way back)
    the sender is silent, then sends a burst. A queue at the bottleneck hides that; without one, cwnd
    must be larger than the path needs. BBR measures by how much.]]
