title "One connection for many requests"
asks "What do 200 requests cost on 200 connections, and on one?"
watch "The segments and the round trips: each new connection pays for its handshake and its close."

local a, b = host "a", host "b"
link(a, b, "delay 20ms")
local requests = 200

local function serve(conn)
    conn.quiet = true
    while true do
        local data = conn:recv()
        if not data or data == "" then break end
        conn:send(("r"):rep(500))
    end
    conn:close()
end
b:serve(80, serve, { quiet = true })

local function request(conn) conn:send "GET" conn:recv_exactly(500) end
a:app(function()
    local began, sent = now(), a:counter "TcpOutSegs"
    for _ = 1, requests do
        local conn = a:connect(b, 80, { quiet = true })
        conn.quiet = true
        request(conn)
        conn:close()
    end
    local many, many_segments = now() - began, a:counter "TcpOutSegs" - sent
    sleep(1)
    began, sent = now(), a:counter "TcpOutSegs"
    local conn = a:connect(b, 80, { quiet = true })
    conn.quiet = true
    for _ = 1, requests do request(conn) end
    conn:close()
    local one, one_segments = now() - began, a:counter "TcpOutSegs" - sent
    note(("200 connections: %.2f s, %d segments; one: %.2f s, %d segments"):format(many, many_segments,
        one, one_segments))
    check(many > 1.9 * one, "a connection for each request takes twice as long")
    check(many_segments > 1.8 * one_segments, "and nearly twice the segments")
    check(a:counter "TcpExtTW" >= requests, "and it leaves 200 TIME-WAITs")
end)
conclude [[A new connection costs a round trip before the first byte, and a TIME-WAIT after the last.
    Keep-alive pays once.]]
