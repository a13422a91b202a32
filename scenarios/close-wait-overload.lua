title "CLOSE_WAIT: the program is overloaded"
asks "A server closes everything, but is slow. Its clients lose patience. What does `ss` show?"
watch "CLOSE-WAIT grows though no close() is missing; it shrinks again when the load ends."

local a, b = host "a", host "b"
link(a, b, "delay 5ms")
local work = knob("work", 0.5, "seconds that the server needs for one request")
local patience, per_second, duration = 2, 10, 10

b:app("server", function() -- one at a time
    local listener = b:listen(80, { backlog = 1000, quiet = true })
    while true do
        local conn = listener:accept(30)
        if not conn then return end
        conn.quiet = true
        conn:recv()
        sleep(work)
        conn:send "answer"
        conn:close()
    end
end)
local answered, given_up = 0, 0
local function client()
    local conn = a:connect(b, 80, { quiet = true })
    conn.quiet = true
    conn:send "x"
    if conn:recv(100, patience) == "answer" then answered = answered + 1 else given_up = given_up + 1 end
    conn:close()
end
for i = 1, duration * per_second do at(i / per_second, function() a:app(client) end) end

local worst, after = 0, nil
for s = 1, duration + 2 do at(s, function() worst = math.max(worst, b:count "CLOSE-WAIT") end) end
at(duration + duration * per_second * work + 5, function() after = b:count "CLOSE-WAIT" end)
at_end(function()
    note(("answered %d, given up %d, at most %d in CLOSE-WAIT"):format(answered, given_up, worst))
    if work * per_second > 1 then
        check(worst > 40, ("%d are in CLOSE-WAIT: their clients have gone, the server has not come to them"):format(worst))
        check(given_up > answered, "most clients have gone before their answer came")
    else
        check(worst == 0 and given_up == 0, "a server that keeps up has none")
    end
    check(after == 0, "when the load has gone so have they: no close() is missing")
end)
conclude [[CLOSE_WAIT that comes and goes with the load is a queue, not a leak: the backlog holds
    connections whose clients have left, and the server works for nobody. A shorter backlog refuses
    early; see close-wait-leak for the leak. (--set work=0.05)]]
