title "The first FIN is lost"
asks "The first of the four closing segments does not arrive: who repeats it?"
watch "FIN-WAIT-1 at a until the FIN comes through; b knows nothing and stays ESTABLISHED."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
wire:lose "first FIN from a"

b:serve(80, function(conn) conn:recv_all() conn:close() end)
a:app(function()
    local conn = a:connect(b, 80)
    conn:send "request"
    sleep(0.2)
    conn:close()
    sleep(0.1)
    expect_state(conn, "FIN-WAIT-1")
    check(b:count "ESTABLISHED" == 1, "b is still ESTABLISHED")
    check(conn:wait_state("TIME-WAIT", 5), "the repeated FIN brings a to TIME-WAIT")
end)
at_end(function()
    check(a:counter "TcpRetransSegs" == 1, "a repeats it once")
    check(a:counter "TcpExtTW" == 1 and b:counter "TcpExtTW" == 0,
        "who closes first keeps the TIME-WAIT")
end)
conclude [[A FIN takes a place among the bytes, so it is repeated like data, after the same timeout.
    Until then a waits in FIN-WAIT-1.]]
