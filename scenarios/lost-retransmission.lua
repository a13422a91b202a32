title "The repair is lost, too"
asks "A segment is lost, and so is its retransmission. Who notices?"
watch "What was sent after the retransmission arrives before it: it must be lost again, and goes a third time."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 25ms rate 20mbit")
local lost = knob("lost", 60, "which data segment is lost")
local original = wire:lose(lost .. "th data from a")

local got, cut
b:serve(80, function(conn) got = conn:recv_pattern() conn:close() end, { quiet = true })
a:app(function()
    local conn = a:connect(b, 80)
    a:app(function()
        while original:hits() == 0 do sleep(0.001) end
        while a:counter "TcpRetransSegs" == 0 do sleep(0.0001) end
        note("it goes again, as data segment " .. original:seen())
    end)
    conn:send_pattern(500000)
    conn:shutdown "wr"
    conn:recv_all()
    conn:close()
end)
-- The retransmission is the data segment that follows when the counter of the sender moves.
cut = wire:lose(knob("again", 127, "which data segment is its retransmission") .. "th data from a")

at_end(function()
    check(original:hits() == 1 and cut:hits() == 1, "two segments are lost")
    check(a:counter "TcpExtTCPLostRetransmit" == 1, "the second of them was a retransmission")
    check(a:counter "TcpRetransSegs" == 2, "it is sent three times in all")
    check(a:counter "TcpExtTCPTimeouts" == 0, "and still no timeout is needed")
    check(got == 500000, "everything arrives")
end)

conclude [[Counting what lies above a hole (RFC 6675) cannot tell a lost retransmission from one that is
    on its way; that took a timeout. RACK (RFC 8985) remembers when each segment left: if something
    that left later has arrived, the earlier one is lost, whichever transmission it was.]]
