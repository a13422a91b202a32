title "Crash, reboot, and the same initial sequence number"
asks "Two machines without clock and chance lose power, boot and connect exactly as before. What may go wrong?"
watch "SYN and SYN/ACK bear the numbers of the first life. A segment of that life is still on its way, and it fits."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 10ms")
local late = wire:hold("second data from a", 2.5)

local read
local function serve()
    b:serve(80, function(conn) read = conn:recv_exactly(18) end)
end
local first = {}
local function life(word)
    sleep(1) -- as long after the boot, each time: the clock gives the same number
    local conn = a:connect(b, 80, { port = 5000 })
    first[#first + 1] = conn:numbers().snd_nxt
    conn:send(word .. " head ")
    sleep(1)
    conn:send(word .. " tail ")
    sleep(5)
    conn:close()
end
serve()
a:app(function() life "old" end)
at(2.5, function() a:crash() b:crash() end)
at(3, function()
    b:boot "again"
    serve()
    a:boot "again"
    a:app(function() life "new" end)
end)
at_end(function()
    check(late:hits() == 1, "a segment of the first life was late")
    check(first[1] == first[2], "both connections begin with the same number: " .. tostring(first[1]))
    check(read == "new head old tail ", "the reader got: " .. tostring(read))
end)
conclude [[A crash forgets TIME-WAIT. If clock and secrets begin anew as well, old segments fit into the new
    connection, and not even timestamps tell. (Had only one end crashed, its peer's numbers would be
    new, and the old acknowledgment would not fit: RFC 5961.) RFC 6528 wants a secret that is drawn at each boot; RFC
    9293 (3.4.3) wants silence for an MSL where numbers are not remembered: see quiet-time.]]
