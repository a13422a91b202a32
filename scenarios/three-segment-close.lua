title "A close of three segments"
asks "Must a close take four segments?"
watch "b's FIN rides on its ACK of a's FIN: b passes CLOSE-WAIT without being seen in it."

local a, b = host "a", host "b"
quick_programs()
link(a, b, "delay 20ms")

b:serve(80, function(conn) conn:recv_all() conn:close() end)
local before
a:app(function()
    local conn = a:connect(b, 80)
    sleep(1)
    before = a:counter "TcpOutSegs" + b:counter "TcpOutSegs"
    conn:close()
    check(conn:wait_state("TIME-WAIT", 1), "it is over after one round trip")
end)
at_end(function()
    local segments = a:counter "TcpOutSegs" + b:counter "TcpOutSegs" - before
    check(segments == 3, "FIN, FIN with the ACK, ACK: three segments, not four")
end)
conclude [[The second and the third segment may be one, if the program closes as soon as it reads the
    end of the stream. Four are needed only when it still has something to say.]]
