title "The SYN queue is full"
asks "What happens to a SYN that finds no room, where cookies are off?"
watch "The SYN is dropped without a word; the client repeats it after 1 s, and then there is room."

local a, b, c = host "a", host "b", host "c"
local wire = link(a, b, "delay 5ms")
local other = link(c, b, "delay 5ms")
b:knob("net.ipv4.tcp_syncookies", 0)
b:knob("net.ipv4.tcp_max_syn_backlog", 4)

b:serve(80, function(conn) conn:recv_all() conn:close() end)
at(0.01, function()
    for i = 1, 4 do
        other:inject(b, { from = c:addr(), to = b:addr(c), sport = 100 + i, dport = 80, flags = "SYN",
            seq = 1000 })
    end
    other:down(c) -- else c would answer the SYN/ACKs with RST
end)
at(0.5, function() other:up(c) end)
at(0.1, function()
    a:app(function()
        local conn = a:connect(b, 80)
        check(conn and now() > 1.1, "the connection is made, one timeout late")
        conn:close()
    end)
end)
at_end(function()
    check(b:drops "tcp_syn_queue" == 1, "one SYN was dropped")
    check(b:counter "TcpExtTCPReqQFullDrop" == 1, "and counted as Linux counts it")
end)
conclude [[A full SYN queue looks like loss to the client: no answer, a second more. The counter
    TCPReqQFullDrop at the server tells the two apart.]]
