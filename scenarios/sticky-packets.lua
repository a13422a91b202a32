title "Sticky packets: TCP has no messages"
asks "Three sends, one recv that returns all of it, or half of it: is that a bug?"
watch "Segments do not follow the sends; the reader must find the borders itself."

local a, b = host "a", host "b"
link(a, b, "delay 20ms")
local sends, reads, framed = 0, 0, {}

b:serve(80, function(conn)
    local text = ""
    while true do
        local data = conn:recv()
        if not data or data == "" then break end
        reads, text = reads + 1, text .. data
        while #text >= 2 and #text >= 2 + tonumber(text:sub(1, 2)) do -- a length, then the message
            local n = tonumber(text:sub(1, 2))
            framed[#framed + 1], text = text:sub(3, 2 + n), text:sub(3 + n)
        end
    end
    conn:close()
end)

a:app(function()
    local conn = a:connect(b, 80)
    for i = 1, 6 do
        local message = ("message %d"):format(i)
        conn:send(("%02d"):format(#message) .. message)
        sends = sends + 1
    end
    conn:close()
end)

at_end(function()
    check(reads < sends, "fewer reads than sends: messages came glued together")
    check(#framed == 6 and framed[6] == "message 6", "a length before each message finds them all")
end)

conclude [[TCP carries a stream of bytes. Nagle's algorithm, the window and the network decide where
    segments begin, and recv returns what is there. A protocol needs a length or a mark for each
    message; nothing is broken when two arrive in one read.]]
