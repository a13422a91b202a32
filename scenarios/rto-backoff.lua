title "The retransmission timer doubles"
asks "The path is dead for half a minute: when does TCP try again?"
watch "The distance between the repetitions doubles, so they soon come seldom; the first that gets through repairs it all."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
local down = knob("down", 30, "seconds for which the link is down")
local back

b:serve(80, function(conn)
    conn:recv_all()
    back = now()
    conn:close()
end)

a:app(function()
    local conn = a:connect(b, 80)
    conn:send("before")
    sleep(1)
    wire:down()
    conn:send("into the silence")
    conn:close()
end)

at(1.05 + down, function() wire:up() end)

at_end(function()
    check(back, "the data arrives in the end")
    check(back - 1.05 - down < down, "at most as late again as the silence was long")
    check(a:counter("TcpExtTCPTimeouts") >= 6, "each repetition was a timeout, twice as long as the last")
end)

conclude [[After a timeout the retransmission timer doubles (RFC 6298), for the path may be congested.
    So a connection that was cut off for half a minute may need as long again to notice that the path
    is back. After tcp_retries2 repetitions, some 15 minutes, it would have given up.]]
