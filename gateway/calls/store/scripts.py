"""The Lua scripts of `redis_store`. KEYS: the call's hash, its lease, the set of live
calls, the stream."""

from __future__ import annotations

_AT_EPOCH = """
local now = redis.call('HMGET', KEYS[1], 'epoch', 'phase')
if now[1] ~= ARGV[1] or now[2] == 'ended' then return 0 end
"""
"""Return 0 unless the call lives and ARGV[1] is its epoch."""

_LAST_KEY = """
if tonumber(last_key) > tonumber(redis.call('HGET', KEYS[1], 'last_key') or '0') then
  redis.call('HSET', KEYS[1], 'last_key', last_key)
end
"""
"""Keep the number of a key, unless that of a later one is."""

_COUNT = """
local bounds = tonumber(ARGV[2])
local names, wanted = {}, {}
for at = 3, 1 + bounds, 2 do
  local key = 'offhook:route:' .. ARGV[at]
  local limit = tonumber(ARGV[at + 1])
  if redis.call('SISMEMBER', key, ARGV[1]) == 0 and redis.call('SCARD', key) >= limit then
    for _, id in ipairs(redis.call('SMEMBERS', key)) do
      if redis.call('SISMEMBER', KEYS[3], id) == 0 then redis.call('SREM', key, id) end
    end
    if redis.call('SCARD', key) >= limit then return ARGV[at] end
  end
  names[#names + 1] = ARGV[at]
  wanted[ARGV[at]] = true
end
for name in string.gmatch(redis.call('HGET', KEYS[1], 'counted') or '', '%S+') do
  if not wanted[name] then redis.call('SREM', 'offhook:route:' .. name, ARGV[1]) end
end
for _, name in ipairs(names) do redis.call('SADD', 'offhook:route:' .. name, ARGV[1]) end
"""
"""Count the call ARGV[1] towards the routes that ARGV[2] values from ARGV[3] on name with their limits, and no others;
return the first that is full, counting nothing."""

ALL = {
    "open": """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
"""
    + _COUNT
    + """
local told = tonumber(ARGV[3 + bounds])
local from = 4 + bounds
redis.call('HSET', KEYS[1], 'counted', table.concat(names, ' '), unpack(ARGV, from + told))
redis.call('SADD', KEYS[3], ARGV[1])
if told > 0 then redis.call('XADD', KEYS[4], '*', unpack(ARGV, from, from + told - 1)) end
return 1
""",
    "dispatched": _AT_EPOCH
    + """
redis.call('HSET', KEYS[1], 'dispatch', ARGV[2], 'dispatched', ARGV[3])
redis.call('HINCRBY', KEYS[1], 'tries', 1)
return 1
""",
    "raise_epoch": _AT_EPOCH
    + """
redis.call('DEL', KEYS[2])
if ARGV[3] == '1' then redis.call('HSET', KEYS[1], 'tries', 0) end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1] + 1, 'phase', 'routed', 'dispatch', '', 'dispatched', ARGV[2], 'late', ARGV[4], 'falls', ARGV[5])
return redis.call('HGETALL', KEYS[1])
""",
    "lead": """
local now = redis.call('HMGET', KEYS[1], 'epoch', 'phase', 'stop')
local from = 3 + tonumber(ARGV[2])
if now[1] ~= ARGV[from] or now[2] == 'ended' or now[3] ~= ARGV[from + 1] then return 0 end
"""
    + _COUNT
    + """
redis.call('HSET', KEYS[1], 'counted', table.concat(names, ' '), unpack(ARGV, from + 2))
redis.call('LPUSH', 'offhook:led:' .. ARGV[1], now[3])
redis.call('EXPIRE', 'offhook:led:' .. ARGV[1], 10)
return 1
""",
    "ask": """
local now = redis.call('TIME')
redis.call('LPUSH', KEYS[1], ARGV[1] .. string.format('%d.%06d', now[1], now[2]) .. ARGV[2])
""",
    "keep": _AT_EPOCH
    + """
if redis.call('HGET', KEYS[1], 'stop') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'checkpoint', ARGV[3], 'bridged', ARGV[4])
local last_key = ARGV[5]
"""
    + _LAST_KEY
    + """
return 1
""",
    "left": """
local now = redis.call('HMGET', KEYS[1], 'phase', 'bridged')
if not now[1] or now[1] == 'ended' or now[2] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'left', ARGV[2])
return 1
""",
    "end": """
local phase = redis.call('HGET', KEYS[1], 'phase')
redis.call('SREM', KEYS[3], ARGV[1])
for name in string.gmatch(redis.call('HGET', KEYS[1], 'counted') or '', '%S+') do
  redis.call('SREM', 'offhook:route:' .. name, ARGV[1])
end
if not phase or phase == 'ended' then return 0 end
redis.call('HSET', KEYS[1], 'phase', 'ended')
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('DEL', KEYS[2])
for _, kind in ipairs({'turn', 'facts', 'heard', 'hangup', 'sip'}) do redis.call('EXPIRE', KEYS[1] .. ':' .. kind, ARGV[3]) end
if ARGV[4] then redis.call('XADD', KEYS[4], '*', unpack(ARGV, 4)) end
return 1
""",
    "take": _AT_EPOCH
    + """
if tonumber(ARGV[4]) > tonumber(redis.call('HGET', KEYS[1], 'stop')) then return 0 end
local mine = ARGV[1] .. ' ' .. ARGV[2]
local lease = redis.call('GET', KEYS[2])
if lease and lease ~= mine then return 0 end
redis.call('SET', KEYS[2], mine, 'PX', ARGV[3])
if now[2] ~= 'taken' then redis.call('HSET', KEYS[1], 'phase', 'taken') end
return 1
""",
    "restore": """
local now = redis.call('HMGET', KEYS[1], 'epoch', 'stop', 'phase')
local mine = ARGV[2] .. ' ' .. ARGV[4]
local further = -1
if now[1] then
  if now[3] == 'ended' then return 0 end
  further = tonumber(now[1]) - tonumber(ARGV[2])
  if further > 0 then return 0 end
  if further == 0 then
    local lease = redis.call('GET', KEYS[2])
    if lease and lease ~= mine then return 0 end
    further = tonumber(now[2]) - tonumber(ARGV[3])
  end
end
local from = 7 + tonumber(ARGV[6])
if further < 0 then
  for name in string.gmatch(redis.call('HGET', KEYS[1], 'counted') or '', '%S+') do
    redis.call('SREM', 'offhook:route:' .. name, ARGV[1])
  end
  redis.call('HSET', KEYS[1], unpack(ARGV, from))
end
for at = 7, from - 1, 2 do redis.call('HSETNX', KEYS[1], ARGV[at], ARGV[at + 1]) end
for name in string.gmatch(redis.call('HGET', KEYS[1], 'counted') or '', '%S+') do
  redis.call('SADD', 'offhook:route:' .. name, ARGV[1])
end
redis.call('HSET', KEYS[1], 'phase', 'taken')
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('SET', KEYS[2], mine, 'PX', ARGV[5])
return 1
""",
    "once": """
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if epoch then
  if epoch ~= ARGV[1] then return 0 end
  local done = redis.call('HGET', KEYS[1], ARGV[2])
  if done then return done end
  redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
  if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], ARGV[4], '1') end
end
redis.call('XADD', KEYS[4], '*', unpack(ARGV, 5))
return ARGV[3]
""",
    "tell": """
local phase = redis.call('HGET', KEYS[1], 'phase')
if ARGV[5] ~= 'heard' then redis.call('XADD', KEYS[4], '*', unpack(ARGV, 10)) end
if ARGV[1] ~= '' and phase then
  local before = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or 0)
  redis.call('HSET', KEYS[1], ARGV[1], math.max(before, tonumber(ARGV[2])))
end
if ARGV[3] ~= '' then
  redis.call('ZADD', 'offhook:latencies', ARGV[4], ARGV[3])
  redis.call('ZREMRANGEBYSCORE', 'offhook:latencies', '-inf', ARGV[4] - 300)
end
if ARGV[5] ~= '' then
  local key = KEYS[1] .. ':' .. ARGV[5]
  local fields = {}
  for at = 10, #ARGV, 2 do fields[ARGV[at]] = ARGV[at + 1] end
  local kept = fields['kind'] .. ' ' .. fields['at'] .. ' ' .. fields['data']
  if ARGV[5] == 'turn' then
    -- Told again after an answer that came too late, it is still one turn.
    if not redis.call('LPOS', key, kept) then redis.call('RPUSH', key, kept) end
    redis.call('LTRIM', key, -tonumber(ARGV[6]), -1)
  else
    redis.call('SET', key, kept)
  end
  local live = phase and phase ~= 'ended'
  redis.call('EXPIRE', key, live and ARGV[7] or ARGV[8])
end
local last_key = phase and ARGV[9] or '0'
"""
    + _LAST_KEY
    + """
return 1
""",
    "release": _AT_EPOCH
    + """
local lease = redis.call('GET', KEYS[2])
if lease and lease ~= ARGV[1] .. ' ' .. ARGV[2] then return 0 end
redis.call('DEL', KEYS[2])
local how = ARGV[4] ~= '' and ' ' .. ARGV[4] or ''
redis.call('LPUSH', 'offhook:lost', ARGV[1] .. ' ' .. ARGV[3] .. how)
redis.call('LTRIM', 'offhook:lost', 0, 9999)
return 1
""",
}
"""By name; arguments as `redis_store` gives them."""
