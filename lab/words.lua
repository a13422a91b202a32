-- The words of a scenario: what stands at its head, its knobs, checks, time and nodes.
-- `core` holds the C functions (lab/core*.c); `env` is all that a scenario sees. What is not a word
-- is an error that names the line of the scenario and the nearest right word.

local core, env = ...
local lab = {}

-- The word of `words` (keys of a table) that is most like `word`.
function lab.nearest(word, words)
    local names, best, least = {}, nil, math.huge
    for name in pairs(words) do names[#names + 1] = name end
    table.sort(names)
    for _, name in ipairs(names) do
        local d = core.distance(word, name)
        if d < least then best, least = name, d end
    end
    return best
end

-- An error at the line of the scenario that called.
function lab.fail(format, ...)
    local text = select("#", ...) > 0 and format:format(...) or format
    for level = 2, 60 do
        local where = debug.getinfo(level, "Sl")
        if not where then break end
        if where.source == core.source then
            error(("%s:%d: %s"):format(where.short_src, where.currentline, text), 0)
        end
    end
    error(text, 0)
end

function lab.unknown(what, word, words)
    lab.fail("%s '%s': did you mean '%s'?", what, tostring(word), lab.nearest(tostring(word), words))
end

-- A class whose objects complain about words that they do not have.
function lab.class(what)
    local class = {}
    class.__index = function(_, key)
        local method = class[key]
        if method == nil then
            local words = {}
            for name, value in pairs(class) do
                if type(value) == "function" and not name:find("^_") then words[name] = true end
            end
            lab.unknown(what .. " has no", key, words)
        end
        return method
    end
    class.__name = what
    return class
end

function lab.is(object, class)
    return type(object) == "table" and getmetatable(object) == class
end

function lab.want(ok, format, ...)
    if not ok then lab.fail(format, ...) end
end

-- What a C function gives: its results, or an error at the scenario's line.
function lab.must(value, problem)
    if value == nil or value == false then lab.fail("%s", tostring(problem)) end
    return value
end

-- -- the head ------------------------------------------------------------------------------------

for _, part in ipairs { "title", "asks", "watch", "conclude" } do
    env[part] = function(text)
        lab.want(type(text) == "string" or part == "conclude" and type(text) == "function",
            "%s wants a text", part)
        if type(text) == "function" then
            core.at_end(function() core.text(part, (text():gsub("%s+", " "))) end)
        else
            core.text(part, (text:gsub("%s+", " ")))
        end
    end
end

-- A number or word that --set may change: knob("lost", 1, "how many are lost").
env.knob = function(name, preset, doc)
    lab.want(type(name) == "string" and preset ~= nil and type(doc) == "string",
        'knob wants a name, a value and what it means: knob("lost", 1, "how many are lost")')
    local set = core.knob_set(name, tostring(preset), doc)
    if set == nil then return preset end
    if type(preset) == "number" then
        return lab.must(tonumber(set), "--set " .. name .. "=" .. set .. ": a number is wanted")
    end
    if type(preset) == "boolean" then return set == "true" or set == "1" or set == "yes" end
    return set
end

-- -- claims --------------------------------------------------------------------------------------

local function line_of_caller()
    for level = 2, 60 do
        local where = debug.getinfo(level, "Sl")
        if not where then return 0 end
        if where.source == core.source then return where.currentline end
    end
    return 0
end

env.check = function(ok, text)
    lab.want(type(text) == "string", 'check wants what it claims: check(n == 2, "two are sent")')
    core.check(not not ok, text, line_of_caller())
    return not not ok
end

local states = {}
for _, name in ipairs { "CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
    "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT" } do
    states[name] = true
end

function lab.state(name)
    if not states[name] then lab.unknown("no state", name, states) end
    return name
end

env.expect_state = function(conn, state)
    lab.want(lab.is(conn, lab.Conn), "expect_state wants a connection and a state")
    lab.state(state)
    local is = conn:state()
    core.check(is == state, ("%s is in %s%s"):format(conn.name, state,
        is == state and "" or ", not in " .. is), line_of_caller())
    return is == state
end

-- -- time ----------------------------------------------------------------------------------------

local function seconds(s)
    lab.want(type(s) == "number" and s >= 0, "a time is a number of seconds")
    return s
end
lab.seconds = seconds

env.now = core.now
env.sleep = function(s)
    core.wait(-1, -1, 0, core.now_ns() + core.ns(seconds(s)))
end
env.at = function(s, f)
    seconds(s)
    lab.want(type(f) == "function", "at wants a time and a function")
    core.spawn(-1, "at", function()
        if s > core.now() then core.wait(-1, -1, 0, core.ns(s)) end
        f()
    end)
end
env.at_end = function(f)
    lab.want(type(f) == "function", "at_end wants a function")
    core.at_end(f)
end
-- Each host has addresses of IPv6 too, and is spoken to by them unless a program names another.
env.ip6 = core.ip6
env.lasts = function(s) core.lasts(core.ns(seconds(s))) end
-- Programs answer before the stack does: their answers take its acknowledgments along.
env.quick_programs = core.quick
env.note = function(text) core.log(-1, "note", tostring(text)) end
env.random = function(n) return core.random(n) end

-- -- nodes ---------------------------------------------------------------------------------------

local function node(kind, class)
    return function(name)
        lab.want(type(name) == "string", "%s wants a name: %s \"a\"", kind, kind)
        local id = lab.must(core.node(kind, name))
        return setmetatable({ id = id, name = name, kind = kind }, class)
    end
end

function lab.is_node(n)
    return lab.is(n, lab.Host) or lab.is(n, lab.Router) or lab.is(n, lab.Switch)
end

function lab.add_nodes()
    env.host = node("host", lab.Host)
    env.router = node("router", lab.Router)
    env.switch = node("switch", lab.Switch)
    -- The two sides of the ladder: nodes, or two lists of nodes.
    env.show = function(left, right)
        lab.want(lab.is_node(left) and lab.is_node(right), "show wants two hosts")
        core.show(left.id, right.id)
    end
end

return lab
