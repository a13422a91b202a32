-- Links: made between two nodes, and hurt by words: l:lose "second FIN from b".

local core, env, lab = ...
local Link = lab.class("a link")
lab.Link = Link

env.link = function(a, b, words, kind)
    lab.want(lab.is_node(a) and lab.is_node(b), 'link wants two nodes: link(a, b, "delay 10ms")')
    local kinds = { plain = true, ether = true, fcs = true, bulk = true }
    if kind and not kinds[kind] then lab.unknown("a link is of no kind", kind, kinds) end
    local id = lab.must(core.link(a.id, b.id, words or "", kind))
    return setmetatable({ id = id, a = a, b = b, name = a.name .. "-" .. b.name }, Link)
end

-- 0: what a sends, 1: what b sends, nil: both.
local function direction(link, from)
    if from == nil then return nil end
    if from == link.a then return 0 end
    if from == link.b then return 1 end
    lab.fail("this link joins %s and %s", link.a.name, link.b.name)
end

local function both(link, from, f)
    local only = direction(link, from)
    for d = 0, 1 do
        if only == nil or only == d then f(d) end
    end
end

function Link:set(words)
    lab.must(core.link_set(self.id, words))
    core.log(-1, "note", ("%s: %s"):format(self.name, words))
end

function Link:down(from)
    both(self, from, function(d) core.link_down(self.id, d, true) end)
    core.log(-1, "note", self.name .. " is down" .. (from and " from " .. from.name or ""))
end

function Link:up(from)
    both(self, from, function(d) core.link_down(self.id, d, false) end)
    core.log(-1, "note", self.name .. " is up" .. (from and " from " .. from.name or ""))
end

-- Down and up again, `times` over, beginning now.
function Link:flap(down_s, up_s, times)
    core.spawn(-1, "flap", function()
        for _ = 1, times do
            self:down()
            env.sleep(down_s)
            self:up()
            env.sleep(up_s)
        end
    end)
end

-- Bursts of loss: the share of frames with which one begins, and ends.
function Link:bursts(enter, leave, from)
    both(self, from, function(d) core.bursts(self.id, d, enter, leave) end)
end

-- What the cable carried from this node, of a link of the kind "fcs": frames, bytes, longest and
-- shortest (with preamble, padding and FCS), fcs_errors.
function Link:wire(from)
    return lab.must(core.wire(self.id, direction(self, from) or 0))
end

-- -- exact faults --------------------------------------------------------------------------------

local ordinals = { first = 1, second = 2, third = 3, fourth = 4, fifth = 5, sixth = 6, seventh = 7,
    eighth = 8, ninth = 9, tenth = 10, each = 0, every = 0, all = 0, any = 0 }
local FIN, SYN, RST, ACK = 1, 2, 4, 16
local kinds = {
    SYN = { kind = "TCP", on = SYN, off = ACK },
    ["SYN/ACK"] = { kind = "TCP", on = SYN | ACK },
    ["SYN+ACK"] = { kind = "TCP", on = SYN | ACK },
    FIN = { kind = "TCP", on = FIN },
    RST = { kind = "TCP", on = RST },
    ACK = { kind = "TCP", on = ACK, off = SYN | FIN | RST, pure = true },
    data = { kind = "TCP", data = true },
    segment = { kind = "TCP" },
    TCP = { kind = "TCP" },
    UDP = { kind = "UDP" },
    datagram = { kind = "UDP" },
    ICMP = { kind = "ICMP" },
    ARP = { kind = "ARP" },
    frame = {},
}
local small = { the = true, one = true, segments = true, frames = true, of = true }

local function node_called(link, name)
    for _, n in ipairs(core.node_names()) do
        if n == name then return core.node_id(name) end
    end
    local names = {}
    for _, n in ipairs(core.node_names()) do names[n] = true end
    lab.unknown("no node", name, names)
end

-- "the second FIN from b", "first 3 data from a", "each ACK from b port 80" as a table.
local function pattern(link, text)
    lab.want(type(text) == "string", 'a pattern is a text: "second FIN from b"')
    local p, words, i, seen = { text = text, first = 1, last = 1 }, {}, 1, false
    for word in text:gmatch("%S+") do words[#words + 1] = word end
    while i <= #words do
        local w = words[i]
        local number = tonumber((w:gsub("^(%d+)%a%a$", "%1")))
        if ordinals[w] == 0 then
            p.first, p.last = 1, math.maxinteger
        elseif ordinals[w] and tonumber(words[i + 1]) then -- "first 3"
            p.first, p.last, i = 1, tonumber(words[i + 1]), i + 1
        elseif ordinals[w] or number then
            p.first = ordinals[w] or number
            p.last = p.first
        elseif w == "from" then
            p.from, i = node_called(link, words[i + 1] or ""), i + 1
        elseif w == "port" then
            p.port, i = tonumber(words[i + 1] or ""), i + 1
            lab.want(p.port, "port wants a number")
        elseif w == "after" then -- "each ACK after 2"
            p.first, p.last, i = (tonumber(words[i + 1] or "") or 0) + 1, math.maxinteger, i + 1
        elseif kinds[w] or kinds[(w:gsub("s$", ""))] then
            for k, v in pairs(kinds[w] or kinds[(w:gsub("s$", ""))]) do p[k] = v end
            seen = true
        elseif not small[w] then
            local known = { from = true, port = true, after = true }
            for k in pairs(ordinals) do known[k] = true end
            for k in pairs(kinds) do known[k] = true end
            lab.unknown("a pattern knows no", w, known)
        end
        i = i + 1
    end
    lab.want(seen, 'a pattern names what it looks for: "second FIN from b"')
    return p
end

local Fault = lab.class("a fault")

-- How many frames it looked at that fit its words, and how many it hit.
function Fault:seen() return (core.fault_counts(self.link, self.id)) end

function Fault:hits() return (select(2, core.fault_counts(self.link, self.id))) end

local function fault(link, action, text, by)
    local p = pattern(link, text)
    p.action, p.by = action, core.ns(by or 0)
    return setmetatable({ link = link.id, id = lab.must(core.fault(link.id, p)) }, Fault)
end

function Link:lose(text) return fault(self, "lose", text) end

function Link:corrupt(text) return fault(self, "corrupt", text) end

-- It arrives `s` seconds later than it would have.
function Link:hold(text, s) return fault(self, "hold", text, lab.seconds(s)) end

-- It arrives, and once more `s` seconds later: an old duplicate.
function Link:copy(text, s) return fault(self, "copy", text, lab.seconds(s)) end

-- A segment that nobody in the lab sent comes out at node `to`:
-- l:inject(b, { from = "10.0.1.1", sport = 1, dport = 80, flags = "SYN", seq = 1 }).
function Link:inject(to, segment)
    local number = direction(self, to)
    local flags, bits = 0, { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 }
    local known = { from = 1, to = 1, sport = 1, dport = 1, flags = 1, seq = 1, ack = 1, data = 1,
        window = 1, tsval = 1, tsecr = 1 }
    for key in pairs(segment) do
        if not known[key] then lab.unknown("a segment has no", key, known) end
    end
    for flag in (segment.flags or "ACK"):gmatch("%a+") do
        flags = flags | (bits[flag] or lab.unknown("no flag", flag, bits))
    end
    lab.must(core.inject(self.id, number, segment, flags))
end
