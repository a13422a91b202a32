-- Hosts and what programs on them do: connect, listen, send, recv, close. Calls wait, as they do on
-- any system, and give nil and the error's name when they fail.

local core, env, lab = ...
local Host, Conn, Listener, Datagrams = lab.class("a host"), lab.class("a connection"),
    lab.class("a listener"), lab.class("a datagram socket")
local Router, Switch = lab.class("a router"), lab.class("a switch")
lab.Host, lab.Router, lab.Switch, lab.Conn = Host, Router, Switch, Conn
lab.add_nodes()

local IN, OUT = 1, 4

local function say(host, text, ...)
    core.log(host.id, "call", select("#", ...) > 0 and text:format(...) or text)
end

local function until_ns(timeout)
    if timeout == nil then return nil end
    return core.now_ns() + core.ns(lab.seconds(timeout))
end

-- Calls `try` until it no longer answers EAGAIN. Gives what it gives, or nil, "timeout".
local function block(host, sock, mask, deadline, try)
    while true do
        local a, b, c = try()
        if b ~= "EAGAIN" then return a, b, c end
        if not core.wait(host.id, sock, mask, deadline) then return nil, "timeout" end
    end
end

-- -- hosts ---------------------------------------------------------------------------------------

-- A program on the host: a function that may call, send, sleep.
function Host:app(name, f)
    if f == nil then name, f = "app", name end
    lab.want(type(f) == "function", "app wants a function")
    core.spawn(self.id, name, f)
end

function Host:addr(from) return core.addr(self.id, from and from.id or -1) end

-- The address of IPv4, where ip6() makes that of IPv6 the usual one.
function Host:addr4(from) return core.addr(self.id, from and from.id or -1, true) end

function Host:knob(name, value)
    local problem = core.knob(self.id, name, tostring(value))
    if problem then lab.fail("%s", problem) end
end

-- Power off: all state is gone and nothing is said. Its programs are gone, too.
function Host:crash() core.crash(self.id) end

-- Power on. boot "again": exactly as at the first time, with the same clock and the same chances, as
-- a machine without a clock of its own and without a source of chance does.
function Host:boot(again)
    lab.want(again == nil or again == "again", 'boot() or boot "again"')
    core.boot(self.id, again ~= nil)
end

-- Parts per million that this host's clock runs fast (negative: slow).
function Host:clock(ppm) core.clock(self.id, ppm) end

function Host:counter(name)
    local n, nearest = core.stat(self.id, name)
    lab.want(not nearest, "no counter '%s': did you mean '%s'?", name, nearest)
    return n
end

-- Frames dropped for this reason, or for any.
function Host:drops(reason)
    local n, nearest = core.drops(self.id, reason)
    lab.want(not nearest, "no reason '%s': did you mean '%s'?", tostring(reason), nearest)
    return n
end

-- How many connections are in a state; without one, all that are not LISTEN.
function Host:count(state)
    if state then lab.state(state) end
    return core.count(self.id, state)
end

function Host:memory() return core.memory(self.id) end

for name, method in pairs(Host) do
    if type(method) == "function" and name ~= "__index" then
        Router[name] = method
    end
end

-- Addresses translated at the link's end: nat(link, { tcp = 300, udp = 30 }), idle seconds.
function Router:nat(link, timeouts)
    timeouts = timeouts or {}
    lab.want(lab.is(link, lab.Link), "nat wants the link that leads outside")
    lab.must(core.nat(self.id, link.id, core.ns(timeouts.tcp or 7200), core.ns(timeouts.udp or 30)))
end

-- All translations are forgotten, as when the box reboots.
function Router:rebind() core.rebind(self.id) end

-- A black hole: what is too big or too old is dropped without a word.
function Router:mute(is_mute) core.mute(self.id, is_mute ~= false) end

-- -- options -------------------------------------------------------------------------------------

local options = { nodelay = 1, keepalive = 1, keepidle = 1, keepintvl = 1, keepcnt = 1, linger = 1,
    rcvbuf = 1, sndbuf = 1, reuseaddr = 1, reuseport = 1, cork = 1, maxseg = 1, user_timeout = 1,
    defer_accept = 1, quickack = 1, broadcast = 1, ttl = 1, congestion = 1 }
local own = { port = 1, backlog = 1, timeout = 1, quiet = 1, addr = 1 }

-- Options in a table: { nodelay = true, port = 5000 }.
local function set_all(host, sock, set)
    for name, value in pairs(set or {}) do
        if options[name] then
            if value == true then value = 1 elseif value == false then value = 0 end
            local ok, problem = core.setopt(host.id, sock, name, value)
            lab.want(ok, "%s = %s: %s", name, tostring(value), tostring(problem))
        elseif not own[name] then
            local known = {}
            for k in pairs(options) do known[k] = true end
            for k in pairs(own) do known[k] = true end
            lab.unknown("no option", name, known)
        end
    end
end

local function new_conn(host, sock, name)
    local c = setmetatable({ host = host, sock = sock, name = name, is_open = true,
        quiet = false, pattern_in = 0, pattern_out = 0 }, Conn)
    c.laddr, c.lport, c.paddr, c.pport = core.ends(host.id, sock)
    return c
end

-- -- connecting ----------------------------------------------------------------------------------

-- A new connection to `to` (a host or an address), or nil and why not.
function Host:connect(to, port, set)
    local addr = type(to) == "string" and to or core.addr(to.id, self.id)
    local name = type(to) == "string" and to or to.name
    set = set or {}
    local sock, problem = core.socket(self.id, "tcp")
    if not sock then return nil, problem end
    set_all(self, sock, set)
    if set.port then
        local ok, why = core.bind(self.id, sock, nil, set.port)
        if not ok then
            say(self, "bind(%d) = %s", set.port, why)
            core.close(self.id, sock)
            return nil, why
        end
    end
    if not set.quiet then say(self, "connect(%s:%d)", name, port) end
    local _, why = core.connect(self.id, sock, addr, port)
    if why == "EINPROGRESS" then
        local ready = core.wait(self.id, sock, OUT, until_ns(set.timeout))
        why = ready and core.sock_error(self.id, sock) or not ready and "timeout" or nil
    end
    if why then
        say(self, "connect = %s", why)
        core.close(self.id, sock)
        return nil, why
    end
    return new_conn(self, sock, self.name)
end

-- Waits for connections at a port.
function Host:listen(port, set)
    set = set or {}
    local sock, problem = core.socket(self.id, "tcp")
    if not sock then return nil, problem end
    set_all(self, sock, set)
    local ok, why = core.bind(self.id, sock, set.addr, port)
    if ok then ok, why = core.listen(self.id, sock, set.backlog or 128) end
    if not ok then
        say(self, "listen(%d) = %s", port, why)
        core.close(self.id, sock)
        return nil, why
    end
    if not set.quiet then say(self, "listen(%d)", port) end
    return setmetatable({ host = self, sock = sock, port = port, quiet = not not set.quiet },
        Listener)
end

function Listener:accept(timeout)
    local deadline = until_ns(timeout)
    local sock, why = block(self.host, self.sock, IN, deadline, function()
        return core.accept(self.host.id, self.sock)
    end)
    if not sock then
        if why ~= "EBADF" then say(self.host, "accept = %s", why) end
        return nil, why
    end
    if not self.quiet then say(self.host, "accept") end
    return new_conn(self.host, sock, self.host.name)
end

-- Connections that wait for accept.
function Listener:waiting() return core.info(self.host.id, self.sock).recv_queue end

function Listener:close() core.close(self.host.id, self.sock) end

-- A program that accepts for ever and runs f(connection) for each.
function Host:serve(port, f, set)
    lab.want(type(f) == "function", "serve wants a port and a function")
    core.spawn(self.id, "server", function()
        local listener = lab.must(self:listen(port, set))
        while true do
            local conn = listener:accept()
            if not conn then return end
            core.spawn(self.id, "server", function() f(conn) end)
        end
    end)
end

-- -- streams -------------------------------------------------------------------------------------

-- Sends all of it, waiting for room. How many bytes, or nil and the error.
function Conn:send(data, flags)
    local sent = 0
    if not self.quiet then say(self.host, "send %d bytes", #data) end
    while sent < #data do
        local n, why = block(self.host, self.sock, OUT, nil, function()
            return core.send(self.host.id, self.sock, data:sub(sent + 1), flags or "")
        end)
        if not n then
            say(self.host, "send = %s", why)
            return nil, why
        end
        sent = sent + n
    end
    return sent
end

-- One send that does not wait: how many bytes there was room for, or nil and the error.
function Conn:try_send(data)
    local n, why = core.send(self.host.id, self.sock, data, "")
    if not self.quiet then say(self.host, "send %d bytes = %s", #data, tostring(n or why)) end
    return n, why
end

-- What is there, at most `max` bytes; "" at the end of the stream; nil and the error. Waits for the
-- first byte, at most `timeout` seconds.
function Conn:recv(max, timeout)
    local data, why = block(self.host, self.sock, IN, until_ns(timeout), function()
        return core.recv(self.host.id, self.sock, max or 65536)
    end)
    if not self.quiet then
        say(self.host, "recv = %s", why or (data == "" and "end of stream") or #data .. " bytes")
    end
    return data, why
end

-- Exactly n bytes, fewer at the end of the stream; nil and the error.
function Conn:recv_exactly(n, timeout)
    local parts, got = {}, 0
    while got < n do
        local data, why = self:recv(n - got, timeout)
        if not data then return nil, why end
        if data == "" then break end
        parts[#parts + 1], got = data, got + #data
    end
    return table.concat(parts)
end

-- Everything up to the end of the stream.
function Conn:recv_all(timeout)
    local parts = {}
    while true do
        local data, why = self:recv(65536, timeout)
        if not data then return nil, why end
        if data == "" then return table.concat(parts) end
        parts[#parts + 1] = data
    end
end

-- n bytes of a known pattern, for recv_pattern at the other end to compare. How many went in.
function Conn:send_pattern(n)
    local sent = self.pattern_out
    local goal = sent + n
    say(self.host, "send %d bytes", n)
    while sent < goal do
        local more, why = block(self.host, self.sock, OUT, nil, function()
            return core.send_pattern(self.host.id, self.sock, sent, goal - sent)
        end)
        if not more then
            say(self.host, "send = %s", why)
            return nil, why
        end
        sent = sent + more
        self.pattern_out = sent
    end
    return n
end

-- Reads and compares up to `n` bytes (without n: all up to the end). How many were right; nil and
-- "wrong byte" or the error. `pace` bytes a second makes a slow reader.
function Conn:recv_pattern(n, pace)
    local got = self.pattern_in
    local goal = n and got + n or math.maxinteger
    while got < goal do
        local most = math.min(goal - got, pace and math.max(1, pace // 10) or 1 << 20)
        local more, why = block(self.host, self.sock, IN, nil, function()
            return core.recv_pattern(self.host.id, self.sock, got, most)
        end)
        if not more then
            say(self.host, "recv = %s", why)
            return nil, why
        end
        if more == 0 then break end
        got = got + more
        self.pattern_in = got
        if pace then env.sleep(more / pace) end
    end
    say(self.host, "recv = %d bytes in all", got)
    return got
end

function Conn:shutdown(how)
    local hows = { rd = 0, wr = 1, rdwr = 2 }
    if how and not hows[how] then lab.unknown("shutdown knows no", how, hows) end
    say(self.host, "shutdown(%s)", how or "wr")
    return core.shutdown(self.host.id, self.sock, hows[how or "wr"])
end

function Conn:close()
    if not self.quiet then say(self.host, "close") end
    self.is_open = false
    return core.close(self.host.id, self.sock)
end

-- RST at once.
function Conn:abort()
    say(self.host, "abort")
    self.is_open = false
    return core.abort(self.host.id, self.sock)
end

function Conn:set(set) set_all(self.host, self.sock, set) end

function Conn:state()
    if self.is_open then
        local info = core.info(self.host.id, self.sock)
        if info and info.state ~= "CLOSED" then return info.state end -- else TIME-WAIT has it
    end
    return core.find(self.host.id, self.laddr, self.lport, self.paddr, self.pport) or "CLOSED"
end

-- What a spy on the wire knows of this end: rcv_nxt, snd_nxt, and the peer's and its own newest
-- timestamp as tsval and tsecr. For Link:inject.
function Conn:numbers()
    local n = core.numbers(self.laddr, self.lport, self.paddr, self.pport)
    lab.want(n, "nothing was seen of this connection yet")
    return n
end

-- What `ss -i` shows, as a table: cwnd, ssthresh, srtt_us, rto_us, in_flight, retrans, snd_wnd ...
function Conn:info()
    local info = core.info(self.host.id, self.sock)
    lab.want(info, "the connection is closed: nothing is known of it")
    return setmetatable({}, {
        __index = function(_, key)
            if info[key] == nil then lab.unknown("info has no", key, info) end
            return info[key]
        end,
    })
end

-- Waits until the connection is in a state. True, or false after `timeout` seconds.
function Conn:wait_state(state, timeout)
    local deadline = until_ns(timeout or 3600)
    lab.state(state)
    while self:state() ~= state do
        if not core.wait(self.host.id, -1, -1, deadline) then return self:state() == state end
    end
    return true
end

-- -- datagrams and echo --------------------------------------------------------------------------

function Host:udp(port, set)
    local sock, problem = core.socket(self.id, "udp")
    if not sock then return nil, problem end
    set_all(self, sock, set)
    if port then
        local ok, why = core.bind(self.id, sock, nil, port)
        if not ok then return nil, why end
    end
    return setmetatable({ host = self, sock = sock }, Datagrams)
end

function Datagrams:send(to, port, data)
    local addr = type(to) == "string" and to or core.addr(to.id, self.host.id)
    say(self.host, "sendto %d bytes", #data)
    return core.sendto(self.host.id, self.sock, addr, port, data)
end

-- Data, address and port of the sender; or nil and why.
function Datagrams:recv(timeout)
    local data, addr, port = block(self.host, self.sock, IN, until_ns(timeout), function()
        local data, addr, port = core.recvfrom(self.host.id, self.sock)
        return data, addr, port
    end)
    say(self.host, "recvfrom = %s", data and #data .. " bytes" or addr)
    return data, addr, port
end

function Datagrams:close() core.close(self.host.id, self.sock) end

-- One echo request: seconds until the reply and who sent it, or nil, why and who said so.
function Host:ping(to, set)
    set = set or {}
    local addr = type(to) == "string" and to or core.addr(to.id, self.id)
    local sock = lab.must(core.socket(self.id, "ping"))
    if set.ttl then core.setopt(self.id, sock, "ttl", set.ttl) end
    core.setopt(self.id, sock, "recverr", 1)
    local began, deadline = env.now(), until_ns(set.timeout or 1)
    local ok, refused = core.ping(self.id, sock, addr, set.size or 56)
    if not ok then
        core.close(self.id, sock)
        return nil, refused
    end
    local from, why, teller = block(self, sock, IN, deadline, function()
        return core.pong(self.id, sock)
    end)
    core.close(self.id, sock)
    if from then return env.now() - began, from end
    return nil, why, teller
end

-- The addresses on the way, one for each hop; the last is `to` itself if it answered.
function Host:traceroute(to, most)
    local hops = {}
    for ttl = 1, most or 16 do
        local rtt, from, teller = self:ping(to, { ttl = ttl })
        hops[ttl] = rtt and from or teller or "*"
        say(self, "hop %d: %s", ttl, hops[ttl])
        if rtt then return hops end
    end
    return hops
end
