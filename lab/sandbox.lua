-- What a scenario sees of Lua: no files, no programs, no clock, and nothing that differs from run to
-- run. The rest of its words come from words.lua, link.lua and host.lua.

local core, env, lab = ...

-- In an order that is the same each time: Lua's own depends on where things lie in memory.
local function in_order(t)
    local keys, i = {}, 0
    for key in next, t do keys[#keys + 1] = key end
    table.sort(keys, function(a, b)
        if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then return a < b end
        return type(a) < type(b)
    end)
    return function()
        i = i + 1
        return keys[i], t[keys[i]]
    end
end

for _, name in ipairs { "assert", "error", "ipairs", "pcall", "select", "tonumber", "tostring",
    "type", "setmetatable", "getmetatable" } do
    env[name] = _G[name]
end
env.pairs = in_order
env.print = function(...)
    local parts = {}
    for i = 1, select("#", ...) do parts[i] = tostring((select(i, ...))) end
    env.note(table.concat(parts, " "))
end

local function copy(from)
    local to = {}
    for name, value in pairs(from) do to[name] = value end
    return to
end
env.string, env.table, env.utf8, env.math = copy(string), copy(table), copy(utf8), copy(math)
env.math.random = function(low, high)
    if not low then return core.random(1 << 30) / (1 << 30) end
    if not high then low, high = 1, low end
    return low + core.random(high - low + 1)
end
env.math.randomseed = nil

setmetatable(env, {
    __index = function(_, key) lab.unknown("no word", key, env) end,
})

local wait = core.wait
core.wait = function(...)
    if not coroutine.isyieldable() then
        lab.fail("only a program can wait: put this into host:app(function() ... end)")
    end
    return wait(...)
end
