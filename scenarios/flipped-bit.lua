title "A flipped bit"
asks "A bit changes on the way. Who notices, and what does the program see?"
watch "The damaged segment is dropped without an answer; for the sender it is lost, and it repeats."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 10ms")
wire:corrupt "third data from a"

local got
b:serve(80, function(conn) got = conn:recv_pattern() conn:close() end)
a:app(function()
    local conn = a:connect(b, 80)
    conn:send_pattern(20000)
    conn:shutdown "wr"
    conn:recv_all()
    conn:close()
end)
at_end(function()
    local noticed = b:drops "tcp_checksum" + b:drops "ip_checksum" + b:drops "ip_header_len" +
        b:drops "ip_version" + b:drops "ip_total_len" + b:drops "tcp_offset"
    check(noticed == 1, "one checksum is wrong, and the segment is dropped")
    check(a:counter "TcpRetransSegs" >= 1, "it is sent again")
    check(got == 20000, "the program sees nothing of it: each byte is right")
end)
conclude [[A wrong checksum is never answered: whose segment it was cannot be known, for the address may
    be what was damaged. TCP's 16 bits miss one damage in 65,536; who cannot bear that needs his own.]]
