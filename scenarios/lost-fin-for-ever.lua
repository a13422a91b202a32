title "All FINs of the first closer are lost"
asks "How long does a closed program's connection try to say so?"
watch "FIN-WAIT-1, and the gaps that double. The program has long gone: the connection is an orphan."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
local gone = wire:lose "each FIN from a"

b:serve(80, function(conn) conn:recv_all() end)
a:app(function()
    local conn = a:connect(b, 80)
    conn:send "x"
    sleep(0.2)
    conn:close()
    check(conn:wait_state("CLOSED", 600), "a gives up")
    check(gone:hits() > 5 and gone:hits() < 12, "after about tcp_orphan_retries repetitions")
end)
at(100, function() check(b:count "ESTABLISHED" == 1, "b does not know, and stays ESTABLISHED") end)
at_end(function()
    check(b:counter "TcpExtTCPChallengeACK" == 1, "the RST of the end is not taken on faith")
    check(b:count() == 0, "asked again, a denies the connection, and b is free")
end)
conclude [[An orphan gives up sooner than a connection with a program (tcp_orphan_retries). Had its
    last word, the RST, been lost too, b would have stayed half-open until keepalive or data of its
    own told it.]]
