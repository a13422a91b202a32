title "Why TIME-WAIT lasts 2 MSL"
asks "What could happen if the port pair were free at once?"
watch "An old segment of the first connection arrives while TIME-WAIT stands; it is thrown away."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
wire:copy("first data from a", 30)

b:serve(80, function(conn) conn:recv_all() conn:close() end)
a:app(function()
    local conn = a:connect(b, 80, { port = 5000 })
    conn:send "old bytes"
    sleep(0.1)
    conn:close()
    check(conn:wait_state("TIME-WAIT", 1), "who closes first is in TIME-WAIT")
    local again, why = a:connect(b, 80, { port = 5000 })
    check(not again and (why == "EADDRINUSE" or why == "EADDRNOTAVAIL"),
        "the same port to the same peer is refused meanwhile: " .. tostring(why))
    sleep(61)
    again = a:connect(b, 80, { port = 5000 })
    check(again, "after 60 s it is free")
    again:close()
end)
conclude [[TIME-WAIT outlives the segments of its connection, so that no old one is taken for a new
    one's. It also answers a FIN that comes again: see lost-last-ack-of-close.]]
