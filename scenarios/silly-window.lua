title "The silly window"
asks "A reader takes one byte at a time: does TCP send one byte at a time?"
watch "The receiver says nothing of the few bytes of room, until there is room for a whole segment or half of its buffer."

local a, b = host "a", host "b"
link(a, b, "delay 5ms")
local segments

b:serve(80, function(conn)
    for _ = 1, 4000 do -- a slow reader of single bytes
        conn:recv_pattern(1)
        sleep(0.001)
    end
    segments = a:counter("TcpOutSegs")
    check(conn:recv_pattern() == 20000, "all of it arrives")
    conn:close()
end, { rcvbuf = 8192, quiet = true })

a:app(function()
    local conn = a:connect(b, 80)
    conn:send_pattern(20000)
    conn:close()
end)

at_end(function()
    check(segments < 40, "4000 reads of one byte drew few segments, not 4000")
end)

conclude [[Were each byte of room announced, the sender would fill it with a segment of one byte and 40
    bytes of headers. So the receiver moves its window only by a segment or half of the buffer, and
    the sender waits for that much (RFC 1122 4.2.3.3 and 4.2.3.4).]]
