title "The ACK of the first FIN never arrives"
asks "b takes a's FIN, but a never hears so. Which end gives up, and what does the other one notice?"
watch "a repeats its FIN from FIN-WAIT-1 and gives up with RST; b rests in CLOSE-WAIT, where no timer runs."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
local lost = wire:lose "each ACK from b after 1" -- the first is that of the data

local why, served
b:serve(80, function(conn)
    served = conn
    check(conn:recv_all() == "request", "b reads all, and the end of the stream")
    sleep(400)
    why = select(2, conn:send "answer")
    conn:close()
end)
a:app(function()
    local conn = a:connect(b, 80)
    conn:send "request"
    sleep(0.3)
    conn:close()
    sleep(60)
    expect_state(conn, "FIN-WAIT-1")
    expect_state(served, "CLOSE-WAIT")
    check(conn:wait_state("CLOSED", 600), "a's end is given up")
    check(now() < 400, ("at %.0f s, long before b wants to speak"):format(now()))
end)
at_end(function()
    check(lost:hits() == 10, "b acknowledged the FIN and each repetition (tcp_orphan_retries = 8, and a probe)")
    check(why == "EPIPE", "the RST of the end reaches b: its next write says EPIPE")
    check(a:count() + b:count() == 0, "nothing is left at either end")
end)
conclude [[A FIN is repeated like data, and given up like data. b did nothing wrong, and could do nothing:
    an ACK is never repeated by itself. Had the RST been lost as well, b would rest in CLOSE-WAIT
    until its program writes or closes.]]
