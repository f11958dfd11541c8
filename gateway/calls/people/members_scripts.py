"""The Lua scripts of `redis_members`. Names of keys are made in the scripts, as many as a script meets.

Numbers that Lua computes are written with 17 digits, so that they are what Python would have computed.
"""

from __future__ import annotations

from gateway.calls.people.line import WEIGHT
from gateway.calls.people.members import MISSES, PAUSE, REST, TTL

_KNOWN = 86_400
"""Seconds after its last step that a call's own hash is forgotten."""

_SHARED = f"""
local function exact(number) return string.format('%.17g', number) end
local function member(name) return 'offhook:member:' .. name end
local function queued(call) return 'offhook:queued:' .. call end
local function line(team) return 'offhook:line:' .. team end
local function beats(team) return 'offhook:beats:' .. team end

local function holder(name, now)
  local m = redis.call('HMGET', member(name), 'call', 'since', 'until')
  if not m[1] or m[1] == '' then return '' end
  if tonumber(m[2]) > 0 then
    return redis.call('SISMEMBER', 'offhook:live', m[1]) == 1 and m[1] or ''
  end
  return tonumber(m[3]) > now and m[1] or ''
end

local function free(name, now)
  if holder(name, now) ~= '' then return false end
  local m = redis.call('HMGET', member(name), 'rest', 'paused')
  return tonumber(m[1] or 0) <= now and tonumber(m[2] or 0) <= now
end

local function own(call, team)
  local names = {{}}
  local fields = redis.call('HGETALL', queued(call))
  for at = 1, #fields, 2 do
    local name = string.match(fields[at], '^member:(.*)$')
    if name and (team == '' or fields[at + 1] == team) and redis.call('HGET', member(name), 'call') == call then
      names[#names + 1] = name
    end
  end
  return names
end

local function rings(call, team, now)
  for _, name in ipairs(own(call, team)) do
    if holder(name, now) == call then return true end
  end
  return false
end

local function tidy(team, now)
  for _, call in ipairs(redis.call('ZRANGEBYSCORE', beats(team), '-inf', exact(now))) do
    redis.call('ZREM', line(team), call)
    redis.call('ZREM', beats(team), call)
  end
end

local function leave(call, team)
  redis.call('ZREM', line(team), call)
  redis.call('ZREM', beats(team), call)
end

local function stale(call, epoch)
  return tonumber(redis.call('HGET', queued(call), 'epoch') or 0) > tonumber(epoch)
end

local function known(call, epoch)
  redis.call('HSET', queued(call), 'epoch', epoch)
  redis.call('EXPIRE', queued(call), {_KNOWN})
end

local function talked(name, team, now)
  local m = redis.call('HMGET', member(name), 'since', 'wrap', 'on', 'day', 'taken')
  if team == '' then
    redis.call('HSET', member(name), 'call', '', 'since', '0', 'ended', exact(now), 'missed', '0')
    return
  end
  local since, taken = tonumber(m[1]), m[4] == m[3] and tonumber(m[5]) or 0
  if since > 0 then
    local key, talk = 'offhook:team:' .. team, now - since
    local before = tonumber(redis.call('HGET', key, 'talk') or '')
    redis.call('HSET', key, 'talk', exact(before and before + {WEIGHT!r} * (talk - before) or talk))
  end
  redis.call('HSET', member(name), 'call', '', 'since', '0', 'ended', exact(now), 'rest', exact(now + tonumber(m[2])),
    'day', m[3], 'taken', taken + 1, 'missed', '0')
end

local function told(names, first, now)
  local found = {{}}
  for at = first, #names do
    found[#found + 1] = {{names[at], holder(names[at], now), redis.call('HGETALL', member(names[at]))}}
  end
  return found
end
"""

_SCRIPTS = {
    "beat": f"""
local call, epoch, team, since, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
if redis.call('SISMEMBER', 'offhook:live', call) == 0 or stale(call, epoch) then return false end
tidy(team, now)
known(call, epoch)
redis.call('HSET', queued(call), 'line:' .. team, '1')
redis.call('ZADD', line(team), since, call)
redis.call('ZADD', beats(team), exact(now + {TTL!r}), call)
local mine = own(call, '')
for _, name in ipairs(mine) do redis.call('HSET', member(name), 'until', exact(now + {TTL!r})) end
local about = redis.call('HMGET', 'offhook:team:' .. team, 'last', 'talk')
local rank = redis.call('ZRANK', line(team), call)
return {{rank, mine, redis.call('HGETALL', queued(call)), about[1] or '', about[2] or '', told(ARGV, 6, now)}}
""",
    "reserve": f"""
local call, epoch, team, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local everyone, wrap, on = ARGV[5] == '1', ARGV[6], ARGV[7]
if stale(call, epoch) then return {{}} end
tidy(team, now)
local rank = redis.call('ZRANK', line(team), call)
if not rank then return {{}} end
local found = {{}}
for at = 8, #ARGV do
  if free(ARGV[at], now) then found[#found + 1] = ARGV[at] end
end
local need = 0
if rank > 0 then
  for _, ahead in ipairs(redis.call('ZRANGE', line(team), 0, rank - 1)) do
    if not rings(ahead, team, now) then need = need + 1 end
  end
end
if everyone then
  if need > 0 then return {{}} end
elseif #found <= need or rings(call, team, now) then
  return {{}}
else
  found = {{found[1]}}
end
for _, name in ipairs(found) do
  redis.call('HSET', member(name), 'call', call, 'since', '0', 'until', exact(now + {TTL!r}), 'wrap', wrap, 'on', on)
  redis.call('HSET', queued(call), 'member:' .. name, team)
  redis.call('HINCRBY', queued(call), 'tried:' .. team .. ':' .. name, 1)
  redis.call('HSET', 'offhook:team:' .. team, 'last', name)
end
return found
""",
    "hold": f"""
local call, epoch, name, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('SISMEMBER', 'offhook:live', call) == 0 or stale(call, epoch) then return 0 end
known(call, epoch)
local by = holder(name, now)
if by ~= '' and by ~= call then return 0 end
if by == '' then
  redis.call('HSET', member(name), 'call', call, 'since', '0', 'wrap', '0', 'on', '')
  redis.call('HSET', queued(call), 'member:' .. name, '')
end
redis.call('HSET', member(name), 'until', exact(now + {TTL!r}))
if ARGV[5] == '1' and tonumber(redis.call('HGET', member(name), 'since')) == 0 then
  redis.call('HSET', member(name), 'since', exact(now))
end
return 1
""",
    "claim": """
if stale(ARGV[1], ARGV[2]) then return 0 end
known(ARGV[1], ARGV[2])
return 1
""",
    "leave": """
local call, epoch, team, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if stale(call, epoch) then return 0 end
leave(call, team)
for _, name in ipairs(own(call, team)) do
  if tonumber(redis.call('HGET', member(name), 'since')) == 0 then
    redis.call('HSET', member(name), 'since', exact(now))
  end
end
return 1
""",
    "release": f"""
local call, epoch, team, name, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
if stale(call, epoch) or redis.call('HGET', member(name), 'call') ~= call then return 0 end
redis.call('HDEL', queued(call), 'member:' .. name)
if ARGV[6] == '1' then
  talked(name, team, now)
  return 1
end
redis.call('HSET', member(name), 'call', '', 'since', '0')
if ARGV[7] == '1' and redis.call('HINCRBY', member(name), 'missed', 1) >= {MISSES} then
  redis.call('HSET', member(name), 'missed', '0', 'paused', exact(now + {PAUSE!r}))
end
if redis.call('ZSCORE', line(team), call) then redis.call('HSET', member(name), 'rest', exact(now + {REST!r})) end
return 1
""",
    "forget": """
local call, now = ARGV[1], tonumber(ARGV[2])
local fields = redis.call('HGETALL', queued(call))
local names, teams = {}, {}
for at = 1, #fields, 2 do
  local team, name = string.match(fields[at], '^line:(.*)$'), string.match(fields[at], '^member:(.*)$')
  if team then leave(call, team) end
  if name then
    names[#names + 1], teams[name] = name, fields[at + 1]
  end
end
table.sort(names)
for _, name in ipairs(names) do
  local m = redis.call('HMGET', member(name), 'call', 'since')
  if m[1] == call and tonumber(m[2]) > 0 then
    talked(name, teams[name], now)
  elseif m[1] == call then
    redis.call('HSET', member(name), 'call', '')
  end
end
redis.call('DEL', queued(call))
return 1
""",
    "look": """
return told(ARGV, 2, tonumber(ARGV[1]))
""",
    "waiting": """
tidy(ARGV[1], tonumber(ARGV[2]))
return {redis.call('ZCARD', line(ARGV[1])), redis.call('ZRANGE', line(ARGV[1]), 0, 0, 'WITHSCORES')[2] or ''}
""",
}

ALL = {name: _SHARED + script for name, script in _SCRIPTS.items()}
"""By name; arguments as `redis_members` gives them."""
