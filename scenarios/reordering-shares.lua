title "Reordering of 1, 5, 20 and 50 per cent"
asks "Every frame that overtakes looks like a loss. How much of the rate does that cost?"
watch "Five transfers side by side, each over a link of its own; the claims say what each one achieved."

local shares = { 0, 1, 5, 20, 50 }
local rate, again = {}, {}
for i, share in ipairs(shares) do
    local a, b = host("a" .. share), host("b" .. share)
    link(a, b, "up: delay 20ms rate 10mbit queue 100 reorder " .. share .. "% down: delay 20ms")
    b:serve(80, function(conn) conn:recv_pattern() conn:close() end, { quiet = true, rcvbuf = 1000000 })
    a:app(function()
        local conn = a:connect(b, 80, { sndbuf = 1000000 })
        a:app(function() conn:send_pattern(100000000) end)
        sleep(1)
        local from = conn:info().bytes_acked
        sleep(4)
        rate[i] = (conn:info().bytes_acked - from) * 8 / 4 / 1e6
        again[i] = a:counter "TcpRetransSegs"
        note(("%d %% overtake: %.2f Mbit/s, %d sent again"):format(share, rate[i], again[i]))
    end)
end
lasts(5.5)

at_end(function()
    check(rate[1] > 9.2, "in order the link is full")
    for i = 2, #shares do
        check(rate[i] > rate[1] * 0.9, ("%d %% out of order keep nine tenths of it: %.2f of %.2f Mbit/s, %d sent again"):format(shares[i], rate[i], rate[1], again[i]))
    end
end)

conclude [[A frame that overtakes by 20 ms makes all those before it look lost. A sender that counts three
    duplicate ACKs repeats hundreds of segments and halves its window each time (--set
    net.ipv4.tcp_recovery=0 --set net.ipv4.tcp_max_reordering=3). RACK waits a moment before it believes, D-SACK tells it when it was
    wrong: then it waits longer, and takes back what it did to the window.]]
