title "An old segment meets the next incarnation"
asks "TIME-WAIT is skipped and the same ports are used again: what can an old segment do?"
watch "A segment of the first connection comes late. It lands in the window of the second one, and is taken for its own."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 1ms")
show(a, b)
local timestamps = knob("timestamps", 0, "net.ipv4.tcp_timestamps: 1 tells old from new (PAWS)")
a:knob("net.ipv4.tcp_timestamps", timestamps)
local late = wire:hold("700th data from a", 0.06)

local foreign
b:serve(80, function(conn)
    conn.quiet, foreign = true, 0
    while true do
        local data = conn:recv()
        if not data or data == "" then break end
        foreign = foreign + select(2, data:gsub("A", ""))
    end
    conn:close()
end, { quiet = true, rcvbuf = 4000000 })

a:app(function()
    -- Linger 0: close is RST, TIME-WAIT is skipped, the ports are free at once. A wide window lets old
    -- acknowledgments pass (RFC 5961, 5).
    local ports = { port = 5000, linger = 0, sndbuf = 4000000, rcvbuf = 4000000, quiet = true }
    local first = a:connect(b, 80, ports)
    first.quiet = true
    local began = first:numbers().snd_nxt
    first:send(("A"):rep(2000000))
    sleep(0.02)
    first:abort()
    local second = a:connect(b, 80, ports)
    second.quiet = true
    local ahead = (second:numbers().snd_nxt - began) & 0xffffffff
    check(ahead < 1000000, ("the second connection's numbers begin %d behind the first one's"):format(ahead))
    second:send(("B"):rep(300000))
    sleep(0.06) -- meanwhile it arrives
    second:send(("B"):rep(700000))
    second:shutdown "wr"
    sleep(1)
    if timestamps == 1 then
        check(foreign == 0, "no byte of the first connection is read in the second one")
        check(b:counter "TcpExtPAWSEstab" >= 1, "the old segment is known by its timestamp, and dropped")
    else
        check(foreign > 0, foreign .. " bytes of the first connection are read in the second one")
    end
    second:close()
end)
at_end(function() check(late:hits() == 1, "one segment was late") end)
conclude [[Ports and numbers are all that says which connection a segment belongs to. TIME-WAIT keeps the
    ports until old segments have died (2 MSL); timestamps tell old from new where it is cut short. Who
    skips both, here with SO_LINGER 0, reads another connection's bytes. (--set timestamps=1)]]
