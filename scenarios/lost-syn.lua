title "The first SYN is lost"
asks "What does a client see when its first segment does not arrive?"
watch "The timer of the client: 1 s, then 2 s, 4 s: each wait is twice the one before."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
local lost = knob("lost", 1, "how many SYNs are lost")

wire:lose("first " .. lost .. " SYN from a")
b:serve(80, function(conn) conn:recv_all() conn:close() end)

a:app(function()
    local conn = a:connect(b, 80)
    check(conn, "the connection is made")
    check(math.abs(now() - (2 ^ lost - 1 + 0.04)) < 0.001,
        "connect took " .. (2 ^ lost - 1) .. " s more than the round trip")
    conn:close()
end)
at_end(function()
    check(b:counter "TcpPassiveOpens" == 1, "the server saw one connection and no trouble")
end)
conclude [[The client alone notices: it asks again after 1 s, 2 s, 4 s. The server never learns that
    anything was lost, which is why a slow connect without retransmissions at the server means loss
    on the way to it.]]
