title "Equal flows, equal shares?"
asks "Several transfers of the same kind share a link. How evenly?"
watch "Jain's index: 1 when all have the same, 1/n when one has all."

local algorithm = knob("algorithm", "cubic", "of all: cubic, reno or bbr")
local flows = knob("flows", 4, "how many")
local a, b = host "a", host "b"
link(a, b, "up: delay 10ms rate 20mbit queue 34 down: delay 10ms")
b:serve(80, function(conn) conn:recv_pattern() conn:close() end, { quiet = true, rcvbuf = 1000000 })

local rate = {}
for i = 1, flows do
    a:app(function()
        sleep(i * 0.5)
        local conn = a:connect(b, 80, { sndbuf = 1000000, congestion = algorithm })
        a:app(function() conn:send_pattern(100000000) end)
        sleep(10 - now())
        local from = conn:info().bytes_acked
        sleep(20)
        rate[i] = (conn:info().bytes_acked - from) * 8 / 20e6
    end)
end
lasts(30.5)

at_end(function()
    local sum, squares, text = 0, 0, {}
    for i, r in ipairs(rate) do
        sum, squares, text[i] = sum + r, squares + r * r, ("%.1f"):format(r)
    end
    local index = sum * sum / (flows * squares)
    check(index >= 0.95, ("Jain's index is %.3f: %s Mbit/s"):format(index, table.concat(text, " ")))
    check(sum > 18, ("and together they fill the link: %.1f Mbit/s of 20"):format(sum))
end)

conclude [[Each takes what it finds and gives way at a loss; who has more loses more often, and more at once.
    Over some tens of seconds that evens out. In a single second it does not: see late-comer.]]
