title "Half-close: done with sending, not with receiving"
asks "a says that it has sent all. May b still send?"
watch "a is in FIN-WAIT-2, b in CLOSE-WAIT, and data flows from b to a all the while."

local a, b = host "a", host "b"
link(a, b, "delay 20ms")

local served
b:serve(80, function(conn)
    served = conn
    local all = conn:recv_all()
    sleep(1)
    conn:send(("answer to %d bytes"):format(#all))
    conn:close()
end)
a:app(function()
    local conn = a:connect(b, 80)
    conn:send(("x"):rep(1000))
    conn:shutdown "wr"
    sleep(0.5)
    expect_state(conn, "FIN-WAIT-2")
    expect_state(served, "CLOSE-WAIT")
    check(conn:recv_all() == "answer to 1000 bytes", "the answer arrives after the FIN")
    local n, why = conn:try_send "more"
    check(not n and why == "EPIPE", "sending is over: EPIPE")
    conn:close()
end)
conclude [[shutdown(SHUT_WR) ends one direction only; it is how a client without a length header says
    "that was all". tcp_fin_timeout does not run: the program still holds the socket.]]
