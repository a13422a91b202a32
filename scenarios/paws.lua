title "PAWS: an old duplicate after the numbers have wrapped"
asks "On a fast link the sequence numbers wrap within seconds: what if a very old segment turns up?"
watch "A copy of an early segment arrives much later; its timestamp is older than what was seen last, so it is dropped."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 5ms")

wire:copy("third data from a", 3)

b:serve(80, function(conn)
    check(conn:recv_pattern() == 40000, "the stream is not disturbed")
    conn:close()
end)

a:app(function()
    local conn = a:connect(b, 80)
    conn:send_pattern(20000)
    sleep(2)
    conn:send_pattern(10000)
    sleep(2)
    conn:send_pattern(10000)
    conn:close()
end)

at_end(function()
    check(b:counter("TcpExtPAWSEstab") == 1, "the old copy was known by its timestamp (PAWSEstab)")
end)

conclude [[A sequence number means a byte only for one turn of 4 GiB. With timestamps (RFC 7323) each
    segment says when it was sent, and one that is older than the last in-order segment is refused
    before its number is looked at: protection against wrapped sequences.]]
