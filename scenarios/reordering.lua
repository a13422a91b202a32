title "Reordering taken for loss"
asks "Segments overtake each other: does TCP believe that they were lost?"
watch "One segment is held back for a while; the ACKs of those that overtook it look like loss."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 25ms")
local held = knob("held", 0.08, "seconds by which one segment is late")

wire:hold("12th data from a", held)

b:serve(80, function(conn)
    check(conn:recv_pattern() == 60000, "every byte arrives, once")
    conn:close()
end)

a:app(function()
    local conn = a:connect(b, 80)
    conn:send_pattern(60000)
    conn:close()
end)

at_end(function()
    check(a:counter("TcpRetransSegs") >= 1, "the late segment was sent again although it was not lost")
    check(b:drops() >= 1, "so it arrived twice, and the second one was thrown away")
end)

conclude [[The receiver can only say what it has; the sender must guess whether the missing one is lost
    or late. A little reordering is waited for, much of it looks like loss and costs a needless
    repetition and half of the window, until the duplicate's report (D-SACK) shows the mistake.]]
