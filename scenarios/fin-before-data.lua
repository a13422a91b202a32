title "The FIN overtakes the data"
asks "In FIN-WAIT-2 the peer's FIN arrives before the bytes that stand in front of it. And now?"
watch "a answers with a duplicate ACK and stays in FIN-WAIT-2 until the gap is filled."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
wire:hold("second data from b", 0.1)

b:serve(80, function(conn)
    conn:recv_all()
    conn:send(("1"):rep(1000))
    sleep(0.01)
    conn:send(("2"):rep(1000))
    sleep(0.01)
    conn:close()
end)
a:app(function()
    local conn = a:connect(b, 80)
    conn:shutdown "wr"
    at(0.155, function() expect_state(conn, "FIN-WAIT-2") end)
    local data = conn:recv_all()
    check(data == ("1"):rep(1000) .. ("2"):rep(1000), "all bytes come, in their order")
    expect_state(conn, "TIME-WAIT")
    conn:close()
end)
conclude [[A FIN has a sequence number like a byte, and acts when everything before it is there. It
    was kept and did not have to be sent again.]]
