title "UDP through a NAT: a short memory"
asks "How long may a UDP client be silent before answers no longer find it?"
watch "An answer after 20 s arrives; one after 40 s finds no mapping, and the NAT drops it."

local a, nat, b = host "a", router "nat", host "b"
link(a, nat, "delay 5ms")
local outside = link(nat, b, "delay 10ms")
nat:nat(outside, { udp = 30 })
local keepalive = knob("keepalive", 0, "seconds between datagrams that keep the mapping, 0: none")

local ports = {}
b:app(function()
    local u = b:udp(5060)
    while true do
        local data, addr, port = u:recv()
        if data:find "^wait" then
            ports[#ports + 1] = port
            local seconds = tonumber(data:match "%d+")
            at(now() + seconds, function() u:send(addr, port, "after " .. seconds) end)
        end
    end
end)
a:app(function()
    local u = a:udp(7000)
    local function ask(seconds)
        u:send(b, 5060, "wait " .. seconds)
        local until_then = now() + seconds + 1
        while now() < until_then do
            local left = until_then - now()
            local data = u:recv(keepalive > 0 and math.min(keepalive, left) or left)
            if data then return data end
            if keepalive > 0 then u:send(b, 5060, "still here") end
        end
    end
    check(ask(20) == "after 20", "an answer after 20 s arrives")
    local late = ask(40)
    if keepalive > 0 then
        check(late == "after 40", "a datagram now and then keeps the mapping: the late answer arrives")
    else
        check(not late, "an answer after 40 s does not")
        check(nat:drops() >= 1, "the NAT knows no receiver for it")
    end
    nat:rebind()
    check(ask(1) == "after 1", "who speaks first gets a new mapping")
end)
at_end(function()
    check(ports[1] ~= 7000, "b never sees a's own port")
    check(ports[3] ~= ports[1], "and after the NAT forgot, it sees another one")
end)
lasts(300)
conclude [[UDP has no beginning and no end that a NAT could watch, so it guesses by time, and 30 s are
    usual. VoIP and VPNs send something every 10 to 25 s for this reason.]]
