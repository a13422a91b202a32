title "A timeout that was wrong"
asks "The path stands still for a second, nothing is lost. What does the needless timeout cost?"
watch "After the timeout one segment goes again; the ACKs that come then are of the originals, and the window is given back."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 25ms rate 20mbit queue 1000")
local stall = knob("stall", 1, "seconds by which the path grows longer")

local before, during, after, got
b:serve(80, function(conn) got = conn:recv_pattern() conn:close() end, { quiet = true })
a:app(function()
    local conn = a:connect(b, 80)
    a:app(function() conn:send_pattern(1000000) conn:shutdown "wr" conn:recv_all() conn:close() end)
    sleep(0.35)
    before = conn:info()
    wire:set(("delay %.3fs rate 20mbit queue 1000"):format(0.025 + stall))
    sleep(0.01)
    wire:set "delay 25ms rate 20mbit queue 1000"
    while a:counter "TcpExtTCPTimeouts" == 0 and now() < 5 do sleep(0.001) end
    during = conn:info()
    note(("timeout: cwnd falls from %d to %d segments"):format(before.cwnd // before.mss, during.cwnd // during.mss))
    while a:counter "TcpExtTCPLossUndo" == 0 and now() < 5 do sleep(0.001) end
    after = conn:info()
    note(("it was wrong: cwnd is %d again"):format(after.cwnd // after.mss))
end)

at_end(function()
    check(a:counter "TcpExtTCPTimeouts" >= 1, "the timer ran out")
    check(during.cwnd <= 2 * during.mss, "the window fell to a segment")
    check(a:counter "TcpExtTCPLossUndo" == 1, "an ACK showed that the original had arrived")
    check(after.cwnd >= before.cwnd and after.ssthresh >= before.ssthresh, "cwnd and ssthresh are what they were")
    check(a:counter "TcpRetransSegs" <= 3, ("few segments went again: %d"):format(a:counter "TcpRetransSegs"))
    check(got == 1000000, "everything arrives")
end)

conclude [[A handover, a suspended virtual machine or a full queue elsewhere delays a whole flight beyond
    the RTO. The first ACK echoes the timestamp of the original, not of its copy (Eifel, RFC 3522), or
    it acknowledges what was never sent again (F-RTO, RFC 5682): the timeout was needless and all is
    taken back. Else the whole flight would be sent again, and slow start begin anew.]]
