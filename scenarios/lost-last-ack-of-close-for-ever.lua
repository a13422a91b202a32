title "The last ACK never arrives"
asks "b never learns that its FIN arrived. How does it end?"
watch "LAST-ACK repeats; TIME-WAIT answers each time, and starts its 60 s anew."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
wire:lose "each ACK from a after 1"

local served
b:serve(80, function(conn) served = conn conn:recv_all() conn:close() end)
a:app(function()
    local conn = a:connect(b, 80)
    conn:send "x"
    sleep(0.2)
    conn:close()
    check(conn:wait_state("TIME-WAIT", 3), "a is in TIME-WAIT")
end)
at(5, function() expect_state(served, "LAST-ACK") end)
at_end(function()
    check(b:counter "TcpRetransSegs" > 5, "b repeats its FIN")
    check(b:count() == 0, "b gives up and is gone")
    check(a:count() == 0, "and so, after its last 60 s, is a")
end)
conclude [[Nobody can be sure that the last segment arrived: b gives up after tcp_orphan_retries. No
    byte is at risk, for all data was acknowledged long before.]]
