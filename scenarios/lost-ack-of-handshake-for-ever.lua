title "No ACK of the client ever arrives"
asks "After its SYN the client is heard no more, and hears everything. What does each end believe, and until when?"
watch "a is ESTABLISHED at once; b never is, repeats its SYN/ACK and gives up. a's data is repeated to nobody."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
local gone = wire:lose "each ACK from a"
wire:lose "each data from a"

local accepted = 0
b:serve(80, function() accepted = accepted + 1 end)
a:app(function()
    local conn = a:connect(b, 80)
    check(conn, "for the client connect succeeds")
    conn:send "request"
    local _, why = conn:recv()
    check(why == "ETIMEDOUT", "its read ends with ETIMEDOUT")
    check(now() > 900 and now() < 1000, ("after %.0f s: tcp_retries2 = 15 repetitions"):format(now()))
end)
at(60, function() check(b:count "SYN-RECEIVED" == 1, "after a minute the server is still in SYN-RECEIVED") end)
at(64, function()
    check(b:count() == 0, "after 63 s (tcp_synack_retries) it has forgotten")
    check(a:count "ESTABLISHED" == 1, "the client is ESTABLISHED, with nobody at the other end")
end)
at_end(function()
    check(accepted == 0, "no program at b was ever told")
    check(gone:hits() == b:counter "TcpRetransSegs" + 1, "each SYN/ACK drew one more ACK, in vain")
    check(b:counter "TcpOutRsts" == 0, "b never hears the data, so it can not even refuse it")
end)
conclude [[The two ends of a connection may differ for a quarter of an hour about whether it exists. The
    client knows of 'established' only what the SYN/ACK told it; that b heard the answer, only b's
    next segment could tell.]]
