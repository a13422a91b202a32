title "The last ACK is lost"
asks "The fourth closing segment does not arrive. Why is there a TIME-WAIT at all?"
watch "b repeats its FIN from LAST-ACK; a, in TIME-WAIT, answers it once more."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
wire:lose "second ACK from a"

local served
b:serve(80, function(conn) served = conn conn:recv_all() sleep(1) conn:close() end)
a:app(function()
    local conn = a:connect(b, 80)
    conn:send "x"
    sleep(0.2)
    conn:close()
    check(conn:wait_state("TIME-WAIT", 3), "a is in TIME-WAIT")
    sleep(0.1)
    expect_state(served, "LAST-ACK")
    check(served:wait_state("CLOSED", 3), "b's repeated FIN is answered, and b closes")
    expect_state(conn, "TIME-WAIT")
    local since = now()
    check(conn:wait_state("CLOSED", 200), "a leaves TIME-WAIT in the end")
    check(now() - since > 59.9, "the FIN that came again restarted its 60 s")
end)
at_end(function() check(b:counter "TcpOutRsts" + a:counter "TcpOutRsts" == 0, "nobody is reset") end)
conclude [[TIME-WAIT is there for this: somebody must be able to answer a FIN that comes again. Without
    it the answer would be RST, and b would see an error where all went well.]]
