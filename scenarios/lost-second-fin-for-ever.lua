title "The FIN of the second closer never arrives"
asks "a has closed and waits in FIN-WAIT-2 for a FIN that never comes. For ever?"
watch "The closed socket at a is an orphan: tcp_fin_timeout, 60 s, ends it."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
wire:lose "each FIN from b"

b:serve(80, function(conn) conn:recv_all() sleep(1) conn:close() end)
a:app(function()
    local conn = a:connect(b, 80)
    conn:send "x"
    sleep(0.2)
    conn:close()
    local began = now()
    check(conn:wait_state("FIN-WAIT-2", 2), "a reaches FIN-WAIT-2")
    check(conn:wait_state("CLOSED", 300), "and leaves it")
    check(math.abs(now() - began - 60) < 1, "after tcp_fin_timeout: 60 s")
end)
at_end(function() check(b:count() == 0, "b gives up its FIN in the end, too") end)
conclude [[The standard has no timer in FIN-WAIT-2, every system has one for orphans. What b repeats
    afterwards is answered by RST, for a knows nothing of the connection any more.]]
