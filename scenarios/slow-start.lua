title "Slow start"
asks "Why is a new connection slow, and how fast does it become fast?"
watch "Ten segments, then twenty, then forty: the window doubles each round trip until the data ends."

local a, b = host "a", host "b"
link(a, b, "delay 50ms")
local seen = {}

b:serve(80, function(conn)
    conn:recv_pattern()
    conn:close()
end, { quiet = true })

a:app(function()
    local conn = a:connect(b, 80)
    for round = 0, 3 do
        at(0.1 + round * 0.1 + 0.05, function() seen[round] = conn:info().cwnd / conn:info().mss end)
    end
    conn:send_pattern(1500000)
    conn:close()
end)

at_end(function()
    check(seen[0] == 10, "it begins with ten segments (RFC 6928)")
    check(seen[1] == 20 and seen[2] == 40, "each round trip doubles what is in flight")
    check(seen[3] > 40, "as long as nothing is lost")
end)

conclude [[A new connection does not know the path, so it begins with ten segments and adds one for
    each that is acknowledged: twice as much after each round trip. On a path of 100 ms the first
    400 kB take some five round trips, whatever the bandwidth is. Keep connections open where answers
    must be quick.]]
