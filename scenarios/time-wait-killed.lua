title "TIME-WAIT killed by a RST"
asks "A stray RST reaches an end in TIME-WAIT. Does it end the waiting (RFC 1337)?"
watch "The RST out of nowhere at 1 s, and the state of a after it."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
local protect = knob("rfc1337", 1, "net.ipv4.tcp_rfc1337: 1 ignores the RST")
a:knob("net.ipv4.tcp_rfc1337", protect)

b:serve(80, function(conn) conn:recv_all() conn:close() end)
a:app(function()
    local conn = a:connect(b, 80, { port = 5000 })
    sleep(0.1)
    conn:close()
    check(conn:wait_state("TIME-WAIT", 1), "a is in TIME-WAIT")
    sleep(1)
    wire:inject(a, { from = b:addr(), to = a:addr(), sport = 80, dport = 5000, flags = "RST",
        seq = conn:numbers().rcv_nxt })
    sleep(0.1)
    if protect == 1 then
        expect_state(conn, "TIME-WAIT")
        check(a:drops "tcp_rst_time_wait" == 1, "the RST is dropped, and counted")
    else
        expect_state(conn, "CLOSED")
    end
end)
conclude [[With tcp_rfc1337 = 1 a RST leaves TIME-WAIT alone. Without it an old segment could provoke
    the RST that ends the very state which guards against old segments.]]
