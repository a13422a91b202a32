title "The accept queue is full"
asks "The program is too slow to accept: what do its clients see?"
watch "The last ACK of the handshake is dropped; the client believes that it is connected, the server does not."

local a, b = host "a", host "b"
link(a, b, "delay 10ms")
local abort = knob("abort", 0, "net.ipv4.tcp_abort_on_overflow: 0 drops the last ACK, 1 answers RST")
local results = {}

b:knob("net.ipv4.tcp_abort_on_overflow", abort)
b:app("server", function()
    local listener = b:listen(80, { backlog = 1 })
    sleep(6) -- busy with something else
    while true do
        local conn = listener:accept(5)
        if not conn then return end
        conn:send("hi")
        conn:close()
    end
end)

for i = 1, 3 do
    a:app("client " .. i, function()
        sleep(0.1) -- all at once: each SYN finds room, the last ACK does not
        local conn, why = a:connect(b, 80)
        local data
        if conn then data, why = conn:recv(100, 20) end
        results[i] = data or why
        if conn then conn:close() end
    end)
end

at_end(function()
    check(b:counter("TcpExtListenOverflows") >= 1, "the queue overflowed (ListenOverflows)")
    check(results[1] == "hi" and results[2] == "hi", "two fit: one more than the backlog")
    if abort == 1 then
        check(results[3] == "ECONNRESET", "the third is reset")
    else
        check(results[3] == "hi", "the third is served late: its ACK is repeated when there is room")
    end
end)

conclude [[A connection that completes while the accept queue is full has no place. By default the
    last ACK is ignored: the server repeats its SYN/ACK, and if the program accepts in time nobody
    notices more than a delay. With tcp_abort_on_overflow the client gets an RST at once.
    (--set abort=1)]]
