title "ARP and the first packet"
asks "Who is asked before the first packet leaves on an Ethernet, and where does that packet wait?"
watch "A broadcast 'who has', the answer, and only then the ping that was waiting; the second ping needs no question."

local a, b = host "a", host "b"
local wire = link(a, b, "delay 5ms", "ether")
local first, second

a:app(function()
    first = a:ping(b)
    second = a:ping(b)
end)

at_end(function()
    check(first and second, "both pings are answered")
    check(first > second * 1.5, "the first one takes a round trip more: the question comes before it")
    check(a:drops() == 0, "the packet that waited was not lost")
end)

conclude [[IP knows the address of the next hop, Ethernet needs its MAC. ARP asks all with a broadcast,
    one answers, and the answer is kept for a while. A stack that dropped the waiting packet instead
    of parking it would lose the first one to each neighbour.]]
