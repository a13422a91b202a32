title "A partition, and a link that flaps"
asks "The cable is out for ten seconds. Does the connection survive?"
watch "The gaps double while the link is down, so the end of the outage is noticed late."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 10ms")
local down = knob("down", 10, "seconds without a link")

local got
b:serve(80, function(conn) got = conn:recv_pattern() conn:close() end)
at(1, function() wire:flap(down, 5, 2) end)
local done
a:app(function()
    local conn = a:connect(b, 80)
    for _ = 1, 30 do
        conn:send_pattern(1000)
        sleep(1)
    end
    conn:shutdown "wr"
    conn:recv_all()
    conn:close()
    done = now()
end)
at_end(function()
    check(got == 30000, "it survives, and everything arrives")
    check(done < 60, "within a minute")
    check(a:counter "TcpExtTCPTimeouts" >= 8, "two outages, found by timeout after timeout")
    check(b:counter "TcpOutRsts" + a:counter "TcpOutRsts" == 0, "nobody gave up")
end)
conclude [[TCP outlives any outage shorter than tcp_retries2 allows, a quarter of an hour. It notices
    the end only at the next timeout, which may come as late as the outage was long.]]
