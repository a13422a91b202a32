title "SO_REUSEADDR: a server that starts again"
asks "Why does a server that is restarted say 'address already in use', and what does SO_REUSEADDR change?"
watch "The old connections of the port are still in TIME-WAIT; with the option, listening beside them is allowed."

local a, b = host "a", host "b"
link(a, b, "delay 10ms")
local without, with

b:app("server", function()
    local listener = b:listen(80, { reuseaddr = true }) -- both must say it: the old one, too
    local conn = listener:accept()
    conn:close() -- the server closes first: TIME-WAIT is its own
    sleep(1)
    listener:close()
    local again, why = b:listen(80)
    without = again and "ok" or why
    again, why = b:listen(80, { reuseaddr = true })
    with = again and "ok" or why
    if again then again:close() end
end)

a:app(function()
    local conn = a:connect(b, 80)
    conn:recv_all()
    conn:close()
end)

at_end(function()
    check(without == "EADDRINUSE", "without it the port is taken for a minute: EADDRINUSE")
    check(with == "ok", "with it the new server listens at once")
end)

conclude [[TIME-WAIT keeps the four-tuple of an old connection, not the port: a listener beside it does
    no harm, and SO_REUSEADDR says that this is meant. Every server sets it before bind. Two
    listeners at one port need SO_REUSEPORT, which is something else.]]
