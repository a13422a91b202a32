title "Quiet time"
asks "What helps a host that boots with the numbers of its last life, apart from a secret?"
watch "The SYN of the second life waits until no segment of the first can be on its way."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 10ms")
local quiet = knob("quiet", 120, "net.weir.tcp_quiet_time_s at a: an MSL of RFC 9293")
local late = wire:hold("second data from a", 2.5)

local read = ""
local function serve()
    b:serve(80, function(conn) read = conn:recv_exactly(18) end)
end
serve()
local booted, connected
local function life(word)
    sleep(1)
    local conn = a:connect(b, 80, { port = 5000 })
    connected = now()
    conn:send(word .. " head ")
    sleep(1)
    conn:send(word .. " tail ")
    sleep(8)
end
a:app(function() life "old" end)
at(2.5, function() a:crash() b:crash() end)
at(3, function()
    b:boot "again"
    serve()
    a:knob("net.weir.tcp_quiet_time_s", quiet)
    a:boot "again"
    booted = now()
    a:app(function() life "new" end)
end)
at_end(function()
    check(late:hits() == 1, "a segment of the first life was late")
    check(connected - booted > quiet, ("the first SYN waited: connected %.0f s after the boot"):format(connected - booted))
    if quiet > 2 then
        check(read == "new head new tail ", "the reader got: " .. read)
        check(b:counter "TcpOutRsts" >= 1, "the old segment met nobody, and an RST")
    else
        check(read == "new head old tail ", "too short: the reader got: " .. read)
    end
end)
conclude [[A stack that does not know which numbers its last life used sends nothing for an MSL after
    its boot (RFC 9293, 3.4.3). weir draws a secret at each boot, so its numbers are new and quiet time
    is off unless asked for. Without it: crash-and-same-numbers.]]
