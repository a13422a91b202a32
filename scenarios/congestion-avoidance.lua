title "Congestion avoidance"
asks "After a loss the window no longer doubles. How does it grow?"
watch "cwnd, noted once in ten round trips: down by a half at the loss, then one segment for each round trip."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 25ms rate 50mbit")
local algorithm = knob("algorithm", "reno", "net.ipv4.tcp_congestion_control")
a:knob("net.ipv4.tcp_congestion_control", algorithm)
wire:lose "60th data from a"

b:serve(80, function(conn) conn:recv_pattern() conn:close() end, { quiet = true })
local at_ten = {}
a:app(function()
    local conn = a:connect(b, 80)
    a:app(function() conn:send_pattern(4000000) conn:shutdown "wr" conn:recv_all() conn:close() end)
    sleep(0.5)
    for i = 1, 5 do
        local info = conn:info()
        at_ten[i] = info.cwnd // info.mss
        note(("cwnd %d segments, ssthresh %d"):format(at_ten[i], info.ssthresh // info.mss))
        sleep(0.5)
    end
end)
at_end(function()
    local grows = {}
    for i = 1, 4 do grows[i] = at_ten[i + 1] - at_ten[i] end
    check(a:counter "TcpRetransSegs" == 1 and a:counter "TcpExtTCPTimeouts" == 0, "there was one loss, and no timeout")
    if algorithm == "reno" then
        for i = 1, 4 do
            check(grows[i] >= 9 and grows[i] <= 11, ("ten round trips later: %d segments more"):format(grows[i]))
        end
    else
        check(at_ten[5] > at_ten[1], "it grows")
    end
end)
conclude [[Below ssthresh the window doubles each round trip (slow start); above it, one segment a round
    trip is all that is dared, for the path was full not long ago. cubic, which is preset, grows by a
    curve of the time since the loss instead: --set algorithm=cubic.]]
