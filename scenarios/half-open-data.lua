title "Half-open: the peer crashed and forgot"
asks "One end lost power. When does the other one find out?"
watch "Nothing happens until data is sent; the rebooted host knows nothing of the connection and says RST."

local a, b = host "a", host "b"
link(a, b, "delay 10ms")
local seen

b:serve(80, function(conn) conn:recv_all() end)

a:app(function()
    local conn = a:connect(b, 80)
    conn:send("hello")
    sleep(3600) -- an hour in which nobody says a word
    expect_state(conn, "ESTABLISHED")
    conn:send("are you there?")
    local _, why = conn:recv(1, 60)
    seen = why
end)

at(10, function() b:crash() end)
at(20, function()
    b:boot()
    b:serve(80, function(conn) conn:recv_all() end)
end)

at_end(function()
    check(seen == "ECONNRESET", "the first data draws an RST: ECONNRESET")
    check(b:counter("TcpOutRsts") == 1, "from the host that was booted again")
end)

conclude [[A crash says nothing, and a TCP without data and without keepalive never asks. The survivor
    stays in ESTABLISHED until it sends something; a rebooted peer answers with RST, a dead one does
    not answer at all and retransmission ends it after some 15 minutes (tcp_retries2).]]
