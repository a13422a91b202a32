title "Fast recovery: the window is halved, not lost"
asks "A segment is lost in the middle of a large transfer. What does cwnd do, and does the flow stop?"
watch "cwnd and ssthresh before, during and after the recovery; while it lasts, new data goes out with the ACKs that come in."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 25ms rate 20mbit")
local lost = knob("lost", 100, "which data segment is lost")
a:knob("net.ipv4.tcp_congestion_control", "reno")
wire:lose(lost .. "th data from a")

local got
b:serve(80, function(conn) got = conn:recv_pattern() conn:close() end, { quiet = true, rcvbuf = 1000000 })
local before, during, after, sent
a:app(function()
    local conn = a:connect(b, 80)
    a:app(function() conn:send_pattern(1000000) conn:shutdown "wr" conn:recv_all() conn:close() end)
    while a:counter "TcpRetransSegs" == 0 and now() < 5 do
        before = conn:info().cwnd // conn:info().mss
        sleep(0.005)
    end
    during, sent = conn:info(), a:counter "TcpOutSegs"
    note(("the loss is seen: cwnd was %d, ssthresh is %d segments"):format(before, during.ssthresh // during.mss))
    sleep(0.05)
    sent = a:counter "TcpOutSegs" - sent
    sleep(0.05)
    after = conn:info().cwnd // conn:info().mss
    note(("a round trip later: cwnd %d; %d new segments went out meanwhile"):format(after, sent))
end)
at_end(function()
    local half = during.ssthresh // during.mss
    check(a:counter "TcpExtTCPSackRecovery" == 1, "one recovery, begun by what SACK reported")
    check(a:counter "TcpExtTCPTimeouts" == 0, "and no timeout")
    check(half >= before // 2 - 2 and half <= before // 2 + 2, ("ssthresh is half of the window: %d of %d"):format(half, before))
    check(after >= half and after <= half + 3, ("cwnd goes on from there: %d, not from 1"):format(after))
    check(sent > 5, ("the flow did not stop: %d segments during the recovery"):format(sent))
    check(got == 1000000, "everything arrives")
end)
conclude [[ACKs that still come tell that segments still leave the network: so new ones may enter, and only
    the speed is halved. A timeout knows nothing of that and begins with one segment: timeout-and-cwnd.]]
