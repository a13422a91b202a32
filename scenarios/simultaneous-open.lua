title "Simultaneous open"
asks "Both ends connect at the same time, to each other's port. One connection or two?"
watch "Two SYNs cross. Each end goes from SYN-SENT to SYN-RECEIVED, and there is no listener."

local a, b = host "a", host "b"
link(a, b, "delay 20ms")

local ends = {}
for _, pair in ipairs { { a, b, 5000, 6000 }, { b, a, 6000, 5000 } } do
    local me, peer, mine, theirs = pair[1], pair[2], pair[3], pair[4]
    me:app(function()
        local conn = me:connect(peer, theirs, { port = mine })
        check(conn, me.name .. " connects")
        ends[me.name] = conn
        conn:send("from " .. me.name)
        check(conn:recv(100) == "from " .. peer.name, me.name .. " hears " .. peer.name)
    end)
end
at_end(function()
    expect_state(ends.a, "ESTABLISHED")
    expect_state(ends.b, "ESTABLISHED")
    check(a:count() == 1 and b:count() == 1, "it is one connection, with one end on each host")
end)
conclude [[TCP allows both ends to be active, and makes one connection of the two attempts. It takes
    four segments, and both ports must be known before: peers behind two NATs open this way.]]
