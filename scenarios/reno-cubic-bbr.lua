title "Reno beside CUBIC beside BBR"
asks "Three transfers with three congestion controls share one link. Is anyone starved?"
watch "The rate of each over twenty seconds, with a queue of one product and with a short one."

local rate, queues = {}, { 69, 15 }
local names = { "reno", "cubic", "bbr" }
for _, queue in ipairs(queues) do
    local a, b = host("a" .. queue), host("b" .. queue)
    link(a, b, ("up: delay 20ms rate 20mbit queue %d down: delay 20ms"):format(queue))
    b:serve(80, function(conn) conn:recv_pattern() conn:close() end, { quiet = true, rcvbuf = 1000000 })
    for i, name in ipairs(names) do
        a:app(function()
            sleep(i * 0.5)
            local conn = a:connect(b, 80, { sndbuf = 1000000, congestion = name })
            a:app(function() conn:send_pattern(100000000) end)
            sleep(5)
            local from = conn:info().bytes_acked
            sleep(20)
            rate[name .. queue] = (conn:info().bytes_acked - from) * 8 / 20e6
            note(("queue %d, %s: %.1f Mbit/s"):format(queue, name, rate[name .. queue]))
        end)
    end
end
lasts(27)

at_end(function()
    for _, queue in ipairs(queues) do
        local sum = 0
        for _, name in ipairs(names) do sum = sum + rate[name .. queue] end
        check(sum > 18, ("with %d frames of queue the link is full: %.1f Mbit/s"):format(queue, sum))
        for _, name in ipairs(names) do
            check(rate[name .. queue] > 1.5, ("%s has its part: %.1f Mbit/s"):format(name, rate[name .. queue]))
        end
    end
end)

conclude [[Fair shares would be 6.7 Mbit/s each. CUBIC and Reno are alike on a path as short as this
    (RFC 9438 section 4.3). BBR keeps to the bandwidth that it measured while the other two give way at
    each loss, and so has more than half of the link, but leaves the rest: none is starved.]]
