title "A datagram in fragments, and one of them is lost"
asks "A datagram of 4,000 bytes crosses a link with an MTU of 1,500. What if one of its three fragments is lost?"
watch "Three fragments leave. Without one of them the other two wait at b for 30 s, and all is thrown away."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 20ms")
local lost = knob("lost", "second", "which fragment of the second datagram is lost: first, second or third")
local number = ({ first = 4, second = 5, third = 6 })[lost]
wire:lose(tostring(number) .. "th frame from a")

local got = {}
b:app(function()
    local u = b:udp(9000)
    while true do
        local data = u:recv(10)
        if not data then return end
        got[#got + 1] = data:sub(1, 1)
    end
end)
a:app(function()
    local u = a:udp()
    for i = 1, 3 do
        u:send(b, 9000, tostring(i):rep(4000))
        sleep(1)
    end
end)
at(20, function() check(b:counter "IpReasmTimeout" == 0, "at 20 s b still waits for the missing fragment") end)
at(40, function() check(b:counter "IpReasmTimeout" == 1, "after 30 s (ipfrag_time) it gives up") end)
at_end(function()
    check(a:counter "IpFragOKs" == 3 and a:counter "IpFragCreates" == 9, "three datagrams left in nine fragments")
    check(table.concat(got) == "13", "the first and the third arrive, the second does not")
    check(b:counter "IpReasmOKs" == 2, "two were put together (IpReasmOKs)")
end)
conclude [[A datagram is lost if any of its fragments is: with 1 % of loss and three fragments, 3 %. And
    half of it occupies memory for 30 s. So TCP cuts its segments to fit and forbids fragments (DF);
    programs with datagrams should do the same.]]
