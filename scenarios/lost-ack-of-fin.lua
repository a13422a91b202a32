title "The ACK of the first FIN is lost"
asks "The second closing segment does not arrive. Does a close twice?"
watch "a repeats its FIN; b, in CLOSE-WAIT, sees nothing new in it and acknowledges again."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
wire:lose "second ACK from b" -- the first is that of the data

local served
b:serve(80, function(conn) served = conn conn:recv_all() sleep(3) conn:close() end)
a:app(function()
    local conn = a:connect(b, 80)
    conn:send "request"
    sleep(0.3)
    conn:close()
    sleep(0.15)
    expect_state(conn, "FIN-WAIT-1")
    expect_state(served, "CLOSE-WAIT")
    check(conn:wait_state("FIN-WAIT-2", 2), "the ACK of the repeated FIN brings FIN-WAIT-2")
    check(conn:wait_state("TIME-WAIT", 5), "and b's FIN, later, TIME-WAIT")
end)
at_end(function() check(a:counter "TcpRetransSegs" == 1, "one FIN is repeated") end)
conclude [[b took the first FIN: the second is a duplicate and changes nothing there. Only a needed
    it, to learn that it may wait for b in FIN-WAIT-2.]]
