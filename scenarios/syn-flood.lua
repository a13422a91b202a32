title "A SYN flood, without and with cookies"
asks "What does a flood of SYNs from false addresses do to a listener, and how do cookies help?"
watch "The SYN queue fills with entries that nobody completes; with cookies the honest client is served all the same."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 10ms")
local cookies = knob("cookies", 1, "net.ipv4.tcp_syncookies: 0 or 1")
local served, why

b:knob("net.ipv4.tcp_syncookies", cookies)
b:knob("net.ipv4.tcp_max_syn_backlog", 16)
b:serve(80, function(conn)
    conn:send("hello")
    conn:close()
end)

at(0.1, function()
    for i = 1, 100 do
        wire:inject(b, { from = "10.9.9." .. i, to = b:addr(), sport = 1000 + i, dport = 80, flags = "SYN", seq = i })
    end
end)

a:app(function()
    sleep(0.5)
    local conn
    conn, why = a:connect(b, 80, { timeout = 10 })
    if conn then
        served = conn:recv_all()
        conn:close()
    end
end)

at_end(function()
    if cookies == 1 then
        check(served == "hello", "the honest client is served in the middle of the flood")
        check(b:counter("TcpExtSyncookiesRecv") == 1, "its ACK brought a cookie back")
    else
        check(why == "timeout", "the honest client's SYNs are dropped: it waits in vain")
        check(b:counter("TcpExtTCPReqQFullDrop") > 0, "the SYN queue was full")
    end
end)

conclude [[Each SYN costs the listener an entry until its SYN/ACKs are given up, so a few hundred
    false ones a second keep the queue full. A SYN cookie puts what must be remembered into the
    initial sequence number: no entry, and who returns it with an ACK has shown that it is there.
    (--set cookies=0 shows the damage.)]]
