title "The FIN of the second closer is lost"
asks "The third closing segment does not arrive. Who is in which state?"
watch "a waits in FIN-WAIT-2, b repeats from LAST-ACK."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
wire:lose "first FIN from b"

local served
b:serve(80, function(conn) served = conn conn:recv_all() sleep(1) conn:close() end)
a:app(function()
    local conn = a:connect(b, 80)
    conn:send "x"
    sleep(0.2)
    conn:close()
    sleep(1.1)
    expect_state(conn, "FIN-WAIT-2")
    expect_state(served, "LAST-ACK")
    check(conn:wait_state("TIME-WAIT", 3), "the repeated FIN ends it")
    sleep(0.05)
    expect_state(served, "CLOSED")
end)
at_end(function() check(b:counter "TcpRetransSegs" == 1, "b repeats its FIN once") end)
conclude [[LAST-ACK has a retransmission timer, as FIN-WAIT-1 has: the FIN is repeated until it is
    acknowledged.]]
