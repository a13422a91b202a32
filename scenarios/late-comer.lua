title "A late-comer"
asks "A transfer has had the link for itself for five seconds. Does one that comes later get its half?"
watch "The shares of both in each second, as notes: they meet."

local algorithm = knob("algorithm", "cubic", "of both: cubic, reno or bbr")
local a, b = host "a", host "b"
link(a, b, "up: delay 10ms rate 10mbit queue 17 down: delay 10ms")
b:serve(80, function(conn) conn:recv_pattern() conn:close() end, { quiet = true, rcvbuf = 1000000 })

local share, met = {}, nil
local function flow(i, start)
    a:app(function()
        sleep(start)
        local conn = a:connect(b, 80, { sndbuf = 1000000, congestion = algorithm })
        share[i] = { now = 0, last = 0 }
        a:app(function() conn:send_pattern(100000000) end)
        while true do
            sleep(1)
            local acked = conn:info().bytes_acked
            share[i].now, share[i].last = (acked - share[i].last) * 8 / 1e6, acked
        end
    end)
end
flow(1, 0)
flow(2, 5)
local first, second = 0, 0
a:app(function()
    sleep(6.1)
    while true do
        local one, two = share[1].now, share[2].now
        note(("%.1f and %.1f Mbit/s"):format(one, two))
        if not met and two > 0.8 * one then met = now() - 5 end
        if now() > 15 then first, second = first + one, second + two end
        sleep(1)
    end
end)
lasts(40.5)

at_end(function()
    check(met and met < 10, ("after %.0f s the late-comer has four fifths of the other's rate"):format(met or 99))
    check(second > first * 0.6 and first > second * 0.6, ("from the fifteenth second on they share: %.1f and %.1f Mbit/s"):format(first / 25, second / 25))
    check(first + second > 9 * 25, "and the link stays full")
end)

conclude [[Whoever has more loses more at each loss, and both grow alike in between: that is what makes
    shares meet (multiplicative decrease, additive increase). How long it takes depends on the size of
    the window: some ten losses here, minutes on a long fast path.]]
