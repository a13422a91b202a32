title "1514 bytes in the capture, 1526 on the cable"
asks "How long is a full frame, and who sees which part of it?"
watch "A capture has header and packet; the card adds a preamble (8), padding (to 60) and the FCS (4), and takes them off again."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 1ms rate 100mbit", "fcs")
local flipped = wire:corrupt "20th data from a"

local got
b:serve(80, function(conn) got = conn:recv_pattern() conn:close() end)
a:app(function()
    local conn = a:connect(b, 80)
    conn:send_pattern(100000)
    conn:shutdown "wr"
    conn:recv_all()
    conn:close()
end)
at_end(function()
    local there, back = wire:wire(a), wire:wire(b)
    note(("a sent %d frames, %d bytes on the cable"):format(there.frames, there.bytes))
    check(there.longest == 1526, "the longest is 8 + 14 + 1500 + 4 = 1526 bytes on the cable, and 1514 in a capture")
    check(there.shortest == 72, "the shortest is 8 + 60 + 4 = 72: an ARP request of 42 bytes is padded")
    check(back.shortest == 72, "so is its answer")
    check(flipped:hits() == 1 and there.fcs_errors == 1, "a flipped bit is found by the FCS, at b's card")
    check(b:counter "TcpInCsumErrors" == 0, "so TCP's checksum finds nothing: the frame came no further")
    check(got == 100000, "what was dropped is sent again")
end)
conclude [[A cable of 100 Mbit/s carries 8,127 full frames a second and not 8,333: each needs 1,526 bytes,
    and 12 more as a gap, which is no bytes. Captures show neither preamble, FCS nor, at the sender,
    padding; that is why frames shorter than 60 bytes are seen there.]]
