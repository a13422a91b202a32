title "All SYN/ACKs are lost"
asks "What becomes of the half-open connection at the server?"
watch "The server is in SYN-RECEIVED and repeats its SYN/ACK on a timer of its own."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
wire:lose "each SYN/ACK from b"

b:serve(80, function(conn) conn:close() end)
a:app(function()
    local conn, why = a:connect(b, 80)
    check(not conn and why == "ETIMEDOUT", "the client fails with ETIMEDOUT")
end)
at(30, function() check(b:count "SYN-RECEIVED" == 1, "after 30 s the server still waits") end)
at_end(function()
    check(b:count "SYN-RECEIVED" == 0, "in the end nothing is left of it")
    check(b:counter "TcpRetransSegs" >= 5, "the SYN/ACK went out at least five times more")
    check(b:counter "TcpExtListenOverflows" == 0, "no program was ever told")
end)
conclude [[Both ends repeat and both give up: the client after 127 s, the server after
    net.ipv4.tcp_synack_retries. The program that listens never hears of it.]]
