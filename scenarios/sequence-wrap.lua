title "Sequence numbers wrap at 2^32"
asks "What happens when a stream crosses the largest sequence number?"
watch "Nothing: that is the point. The raw numbers go from 4294967295 to 0 in the middle of the data."

local a, b = host "a", host "b"
link(a, b, "delay 5ms")

local got
b:serve(80, function(conn) got = conn:recv_pattern() conn:close() end, { quiet = true })

-- The first numbers of a port pair grow with a clock: try one, and wait until the next is near the end.
local function first_number()
    local conn = a:connect(b, 80, { port = 5000, linger = 0, quiet = true })
    local n = conn:numbers().snd_nxt
    conn:abort()
    return n
end
a:app(function()
    local one = first_number()
    local began = now()
    sleep(1)
    local rate = ((first_number() - one) & 0xffffffff) / (now() - began)
    local asked = now()
    local left = (0xffffffff - 20000 - first_number()) & 0xffffffff
    sleep(left / rate - (now() - asked))
    local conn = a:connect(b, 80, { port = 5000, quiet = true })
    local first = conn:numbers().snd_nxt
    conn:send_pattern(2000000)
    conn:shutdown "wr"
    conn:recv_all()
    local last = conn:numbers().snd_nxt
    conn:close()
    check(first > 0xf0000000, "the stream begins near the end of the numbers: " .. first)
    check(last < first, "and ends behind their beginning: " .. last)
end)
at_end(function() check(got == 2000000, "each byte arrives in its place") end)
lasts(40000)
conclude [[Sequence numbers are compared modulo 2^32, by the sign of their difference, so the wrap is
    a place like any other. Windows stay below 2^30 for this reason.]]
