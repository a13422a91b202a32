title "Half-open, found by keepalive"
asks "How does SO_KEEPALIVE find a peer that is gone, and how long does it take?"
watch "Probes after the idle time, at the interval, and ETIMEDOUT when the count is used up."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 10ms")
local idle, interval, count = knob("idle", 60, "TCP_KEEPIDLE, s"), knob("interval", 10, "TCP_KEEPINTVL, s"),
    knob("count", 3, "TCP_KEEPCNT")
local why, when

b:serve(80, function(conn) conn:recv_all() end)

a:app(function()
    local conn = a:connect(b, 80, { keepalive = true, keepidle = idle, keepintvl = interval, keepcnt = count })
    conn:send("hello")
    sleep(1)
    wire:down()
    local _, error = conn:recv()
    why, when = error, now()
end)

at_end(function()
    check(why == "ETIMEDOUT", "the read that waited fails with ETIMEDOUT")
    check(math.abs(when - (idle + interval * count)) < 2, "after idle + count * interval seconds")
    check(a:counter("TcpExtTCPKeepAlive") == count, "one probe for each")
end)

conclude [[Keepalive asks a silent peer with a segment that it must answer. By default the first
    question comes after two hours (tcp_keepalive_time); set TCP_KEEPIDLE, TCP_KEEPINTVL and
    TCP_KEEPCNT to what the program can wait for.]]
