title "The end of an answer is lost"
asks "Nothing comes behind the lost segments, so no ACK tells of them. Must the sender wait for the timeout?"
watch "Two round trips after the last ACK a probe goes out; its ACK shows what is missing."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 25ms")
local lost = knob("lost", 3, "how many of the last segments are lost")
local hits = {}
for i = 1, lost do hits[i] = wire:lose(21 - i .. "th data from a") end

local got, took
b:serve(80, function(conn)
    conn:recv_exactly(20 * 1448)
    got = now()
    conn:close()
end, { quiet = true })
a:app(function()
    local conn = a:connect(b, 80)
    local began = now()
    conn:send_pattern(20 * 1448)
    while not got do sleep(0.001) end
    took = got - began
    note(("the whole took %.0f ms"):format(took * 1000))
    conn:recv_all()
    conn:close()
end)

at_end(function()
    check(hits[lost]:hits() == 1, "the last of twenty segments are lost")
    check(a:counter "TcpExtTCPLossProbes" == 1, "one probe goes out")
    check(a:counter "TcpRetransSegs" == lost, "and nothing is sent twice that was not lost")
    check(a:counter "TcpExtTCPTimeouts" == 0, "no timeout runs")
    check(took < 0.33, ("the whole took %.0f ms: 125, and four round trips to ask and repair"):format(took * 1000))
end)

conclude [[Most answers are short, and the end of a short answer has nothing behind it. The tail loss
    probe (RFC 8985) sends the last segment again after two round trips; the ACK of the probe says by
    SACK what else is missing, and that goes a round trip later. (One segment alone is waited for
    200 ms longer: its ACK may be delayed.)
    --set net.ipv4.tcp_early_retrans=0 shows the wait without it.]]
