title "A clock that runs fast"
asks "One host's clock gains 5 %. Which of TCP's timers notice?"
watch "TIME-WAIT at the fast host is over early; nothing else is different, for no clocks are compared."

local a, b = host "a", host "b"
link(a, b, "delay 20ms")
local ppm = knob("ppm", 50000, "parts per million that a's clock is fast")
a:clock(ppm)

b:serve(80, function(conn) conn:send(conn:recv_all()) conn:close() end)
a:app(function()
    local conn = a:connect(b, 80)
    conn:send(("x"):rep(30000))
    conn:shutdown "wr"
    check(#conn:recv_all() == 30000, "data flows as ever")
    conn:close()
    local since = now()
    conn:wait_state("CLOSED", 100)
    local lasted = 60 / (1 + ppm / 1e6)
    check(math.abs(now() - since - lasted) < 0.1, ("60 s by a's clock are %.1f s"):format(lasted))
end)
at_end(function()
    check(a:counter "TcpRetransSegs" + b:counter "TcpRetransSegs" == 0, "nothing is sent again")
end)
conclude [[All of TCP's times are differences of one host's own clock; timestamps are only echoed and
    never compared with the other's. A clock that drifts does no harm.]]
