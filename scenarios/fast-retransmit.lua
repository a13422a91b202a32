title "One lost segment: fast retransmit"
asks "How is a single lost segment repaired without waiting for a timeout?"
watch "The segments behind the hole draw ACKs that repeat the same number; the sender repeats the lost one after a round trip."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 25ms")
local lost = knob("lost", 12, "which data segment is lost")

wire:lose(lost .. "th data from a")

b:serve(80, function(conn)
    check(conn:recv_pattern() == 60000, "every byte arrives")
    conn:close()
end)

a:app(function()
    local conn = a:connect(b, 80)
    conn:send_pattern(60000)
    conn:close()
end)

at_end(function()
    check(a:counter("TcpRetransSegs") == 1, "one segment is sent again")
    check(a:counter("TcpExtTCPTimeouts") == 0, "no timeout was needed")
    check(b:counter("TcpExtTCPOFOQueue") >= 3, "what came behind the hole was kept, not thrown away")
end)

conclude [[Data that arrives behind a hole is kept and answered at once, with SACK blocks that say what
    is there. The sender takes the segment for lost, repeats it and halves its window, all within a
    round trip; a timeout would have cost 200 ms and the whole window.]]
