title "Many holes in one window"
asks "Five segments of one flight are lost. Does each cost a round trip, or a timeout?"
watch "The ACKs carry SACK blocks: the sender sees all five holes and fills them within a round trip or two."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 25ms rate 20mbit")
local first = knob("first", 60, "which data segment is lost first; then every second one")
for i = 0, 4 do wire:lose(first + 2 * i .. "th data from a") end

local got, took
b:serve(80, function(conn) got = conn:recv_pattern() conn:close() end, { quiet = true })
a:app(function()
    local conn = a:connect(b, 80)
    a:app(function()
        local began
        while a:counter "TcpExtTCPSackRecovery" == 0 do sleep(0.001) end
        began = now()
        while a:counter "TcpRetransSegs" < 5 and now() < began + 5 do sleep(0.001) end
        took = now() - began
        note(("five segments went again in %.0f ms"):format(took * 1000))
    end)
    conn:send_pattern(500000)
    conn:shutdown "wr"
    conn:recv_all()
    conn:close()
end)

at_end(function()
    check(a:counter "TcpRetransSegs" == 5, "what was lost is sent again, and nothing else")
    check(a:counter "TcpExtTCPSackRecovery" == 1, "it is one recovery: the window is reduced once")
    check(a:counter "TcpExtTCPTimeouts" == 0, "without a timeout")
    check(took < 0.06, "in about one round trip: without SACK it would be one for each hole")
    check(got == 500000, "everything arrives")
end)

conclude [[An acknowledgment number names only the first hole; SACK blocks show what lies between, so all
    holes are known at once. Without them (--set net.ipv4.tcp_sack=0, RFC 6582) each partial ACK
    uncovers one more, a round trip apart.]]
