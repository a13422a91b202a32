title "tcp_tw_recycle behind a NAT"
asks "Two clients share the address of a NAT, and the server recycles TIME-WAITs. Why do some connects hang?"
watch "SYNs that are dropped at b without a word, because another client's timestamp was newer."

local a, c, nat, b = host "a", host "c", router "nat", host "b"
link(a, nat, "delay 5ms")
link(c, nat, "delay 5ms")
local outside = link(nat, b, "delay 10ms")
nat:nat(outside)
show(c, b)
local recycle = knob("recycle", 1, "net.ipv4.tcp_tw_recycle at the server")
b:knob("net.ipv4.tcp_tw_recycle", recycle)
local rounds = 12

b:serve(80, function(conn)
    conn.quiet = true
    conn:send "hello"
    conn:close() -- the server closes first, so TIME-WAIT is here
end, { quiet = true })

local slow, most = 0, 0
local function ask(who)
    local began = now()
    local conn = who:connect(b, 80, { timeout = 60, quiet = true })
    if not conn or now() - began > 0.1 then slow = slow + 1 end
    if not conn then return end
    conn.quiet = true
    conn:recv_all()
    conn:close()
end
a:app(function() for _ = 1, rounds do ask(a) sleep(1.5) end end)
c:app(function() for _ = 1, rounds do ask(c) sleep(1.5) end end)
for s = 1, 30 do at(s, function() most = math.max(most, b:count "TIME-WAIT") end) end
at_end(function()
    note(("%d of %d connects were slow or failed; at most %d in TIME-WAIT"):format(slow, 2 * rounds, most))
    if recycle == 1 then
        check(b:drops "tcp_recycle" > 0, "SYNs are dropped: another client's timestamp was newer")
        check(slow > 0, "those clients wait for seconds, and can not know why")
        check(most <= 4, "which is the price for few TIME-WAITs")
    else
        check(b:drops "tcp_recycle" == 0 and slow == 0, "each connect takes one round trip")
        check(most == 2 * rounds, "and each leaves its TIME-WAIT for 60 s")
    end
end)
conclude [[tcp_tw_recycle frees TIME-WAITs early and trusts one timestamp clock for each address
    instead. Behind a NAT many clocks share an address, and whoever is behind the last one is shut out,
    now and then, without a trace. Linux removed it in 4.12. (--set recycle=0)]]
