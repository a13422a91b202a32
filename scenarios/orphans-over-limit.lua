title "More orphans than tcp_max_orphans"
asks "Many connections are closed by the program and not yet by the peer. What if that is too many?"
watch "Closed sockets with data to deliver are orphans; the first ones wait in FIN-WAIT-1, those over the limit are reset."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 10ms")
local most = knob("most", 8, "net.ipv4.tcp_max_orphans")
a:knob("net.ipv4.tcp_max_orphans", most)
local connections = 20

local resets = 0
b:serve(80, function(conn)
    conn.quiet = true
    local _, why = conn:recv_all()
    if why == "ECONNRESET" then resets = resets + 1 end
    conn:close()
end, { quiet = true })
a:app(function()
    local conns = {}
    for i = 1, connections do
        conns[i] = a:connect(b, 80, { quiet = true })
        conns[i].quiet = true
    end
    wire:down(b) -- nothing is acknowledged, so no close can end
    for _, conn in ipairs(conns) do
        conn:send "bye"
        conn:close()
    end
    sleep(1)
    local kept = math.min(most, connections)
    check(a:count "FIN-WAIT-1" == kept, kept .. " orphans wait for their FIN to be acknowledged")
    check(a:counter "TcpExtTCPAbortOnMemory" == connections - kept, "the rest was ended at once (TCPAbortOnMemory)")
    wire:up(b)
    sleep(10)
    check(a:count "FIN-WAIT-1" == 0, "the orphans that were kept end as they should")
end)
at_end(function() check(resets == math.max(0, connections - most), "the peers of the others see ECONNRESET") end)
conclude [[An orphan holds memory that no program answers for, so there is a limit. Beyond it close()
    becomes RST, and data that was not delivered is lost. TCPAbortOnMemory counts it; many orphans
    mean peers that are gone, or a flood that never reads.]]
