title "Simultaneous close"
asks "Both ends close before they hear of the other's close. Which states are passed?"
watch "FIN-WAIT-1, CLOSING, TIME-WAIT, at both ends: nobody is in CLOSE-WAIT."

local a, b = host "a", host "b"
link(a, b, "delay 20ms")

local mine, theirs
b:serve(80, function(conn) theirs = conn end)
a:app(function()
    mine = a:connect(b, 80)
    sleep(1)
    at(2, function() mine:close() end)
    at(2, function() theirs:close() end)
    at(2.03, function()
        expect_state(mine, "CLOSING")
        expect_state(theirs, "CLOSING")
    end)
    at(2.05, function()
        expect_state(mine, "TIME-WAIT")
        expect_state(theirs, "TIME-WAIT")
    end)
end)
at_end(function()
    check(a:counter "TcpExtTW" == 1 and b:counter "TcpExtTW" == 1, "both ends go through TIME-WAIT")
end)
conclude [[When two FINs cross, each end has sent one and received one before any is acknowledged:
    that is CLOSING. Both closed first, so both keep a TIME-WAIT.]]
