title "The client's ports run out"
asks "All local ports are in TIME-WAIT towards one server: what does connect say, and what helps?"
watch "EADDRNOTAVAIL at once, without a segment; tcp_tw_reuse = 1 cures it after a second."

local a, b = host "a", host "b"
link(a, b, "delay 1ms")
local reuse = knob("reuse", 0, "net.ipv4.tcp_tw_reuse")
a:knob("net.ipv4.ip_local_port_range", "40000 40009")
a:knob("net.ipv4.tcp_tw_reuse", reuse)

b:serve(80, function(conn) conn:recv_all() conn:close() end, { quiet = true })
local function once()
    local conn, why = a:connect(b, 80, { quiet = true })
    if not conn then return false, why end
    conn:close()
    conn:wait_state("TIME-WAIT", 1)
    return true
end
a:app(function()
    for _ = 1, 10 do check(once(), "a port is free") end
    local ok, why = once()
    check(not ok and why == "EADDRNOTAVAIL", "the eleventh of ten ports: EADDRNOTAVAIL")
    sleep(2)
    ok, why = once()
    if reuse == 1 then
        check(ok, "with tcp_tw_reuse a port in TIME-WAIT for a second is taken again")
    else
        check(not ok and why == "EADDRNOTAVAIL", "without tcp_tw_reuse it stays so for 60 s")
        a:knob("net.ipv4.tcp_tw_reuse", 1)
        check(once(), "tcp_tw_reuse = 1 cures it at once")
    end
    check(a:counter "TcpExtTW" >= 10, "all of them went through TIME-WAIT")
end)
conclude [[A port pair is taken for 60 s after a close, so N ports allow N/60 connections a second to
    one server. tcp_tw_reuse takes a TIME-WAIT whose timestamp is older than a second: it is safe,
    for timestamps tell old segments from new ones.]]
