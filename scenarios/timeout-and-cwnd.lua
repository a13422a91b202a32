title "A timeout, and what it does to cwnd"
asks "All segments of a window are lost. How does the sender begin again?"
watch "No duplicate ACK tells of the loss; after the RTO one segment goes out, and cwnd grows anew."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 25ms")

local got
b:serve(80, function(conn) got = conn:recv_pattern() conn:close() end)
a:app(function()
    local conn = a:connect(b, 80)
    conn:send_pattern(60000)
    sleep(1)
    local before = conn:info().cwnd // conn:info().mss
    wire:down(a)
    conn:send_pattern(30000)
    sleep(0.1)
    wire:up(a)
    check(before > 20, "the window had grown to " .. before .. " segments")
    sleep(0.4)
    local info = conn:info()
    check(info.ssthresh < before * info.mss, "ssthresh remembers half of what was in flight")
    conn:shutdown "wr"
    conn:recv_all()
    conn:close()
end)
at_end(function()
    check(a:counter "TcpExtTCPTimeouts" >= 1, "the loss was found by timeout")
    check(got == 90000, "everything arrives")
end)
conclude [[When nothing comes back, nothing is known: the sender starts slowly again from one segment,
    up to half of what it had (ssthresh), and carefully from there.]]
