title "Nagle against the delayed ACK"
asks "Why does a small request written in two pieces take 40 ms longer than in one?"
watch "The second piece waits for the ACK of the first (Nagle), and the peer's ACK waits for an answer to ride on (40 ms)."

local a, b = host "a", host "b"
link(a, b, "delay 1ms")
local nodelay = knob("nodelay", false, "true: the client sets TCP_NODELAY")
local took

b:serve(80, function(conn)
    conn:recv_exactly(2) -- the opening is over: from here on ACKs wait
    conn:send("ok")
    conn:recv_exactly(8)
    conn:send("done")
    conn:recv_all()
    conn:close()
end)

a:app(function()
    local conn = a:connect(b, 80, { nodelay = nodelay })
    conn:send("hi")
    conn:recv()
    sleep(1)
    local began = now()
    conn:send("head")
    sleep(0.0001) -- or both would go as one
    conn:send("body")
    conn:recv()
    took = now() - began
    conn:close()
end)

at_end(function()
    if nodelay then
        check(took < 0.005, "with TCP_NODELAY the answer is there after a round trip")
    else
        check(took > 0.040 and took < 0.050, "the answer takes 40 ms more than a round trip")
    end
    check(a:counter("TcpRetransSegs") == 0, "and nothing was lost")
end)

conclude [[Nagle's algorithm holds a small segment while another one is unacknowledged; a delayed ACK
    holds the acknowledgment in the hope of an answer. Each waits for the other, until the delay
    timer of 40 ms ends it. Write the request in one piece, or set TCP_NODELAY (--set nodelay=true).]]
