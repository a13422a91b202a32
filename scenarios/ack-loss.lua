title "Half of the ACKs are lost"
asks "What does it cost when acknowledgments do not arrive?"
watch "Nothing is sent again: the next ACK says all that the lost one said."

local a, b = host "a", host "b"
local share = knob("share", 50, "per cent of the ACKs that are lost")
local words = "up: delay 20ms rate 10mbit queue 100 down: delay 20ms"
local wire = link(a, b, words)

local rate
b:serve(80, function(conn) conn:recv_pattern() conn:close() end, { quiet = true, rcvbuf = 1000000 })
a:app(function()
    local conn = a:connect(b, 80, { sndbuf = 1000000 })
    wire:set(words .. " loss " .. share .. "%")
    a:app(function() conn:send_pattern(100000000) end)
    sleep(2)
    local from = conn:info().bytes_acked
    sleep(4)
    rate = (conn:info().bytes_acked - from) * 8 / 4 / 1e6
    note(("%.2f Mbit/s of 10"):format(rate))
end)
lasts(6.5)

at_end(function()
    check(b:counter "TcpOutSegs" > a:counter "TcpInSegs" * 1.6, "nearly every second ACK is lost")
    check(rate > 9.2, ("and the link is full all the same: %.2f Mbit/s of 10"):format(rate))
    check(a:counter "TcpExtTCPTimeouts" == 0, "no timeout")
end)

conclude [[Acknowledgments are cumulative: each repeats all that was said before. What is lost with them
    is time: fewer ACKs let out larger bursts, and the window grows by bytes acknowledged, not by ACKs
    counted (RFC 3465), or it would grow at half the speed. Only the loss of all ACKs of a flight
    costs a timeout.]]
