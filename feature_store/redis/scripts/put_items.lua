-- Puts items and tells of the change. KEYS: data, order, version, changes, deleted.
-- ARGV: how many changes to keep, then for each item its id, the JSON that must be held ("" for
-- none, "*" for whatever there is), the new JSON. Answers the new version; when something else
-- is held nothing is put, and the answer is the id and JSON of each such item by turns.
local other = {}
for a = 2, #ARGV, 3 do
  if ARGV[a + 1] ~= '*' then
    local held = redis.call('HGET', KEYS[1], ARGV[a]) or ''
    if held ~= ARGV[a + 1] then
      other[#other + 1] = ARGV[a]
      other[#other + 1] = held
    end
  end
end
if #other > 0 then return other end
local version = redis.call('INCR', KEYS[3])
for a = 2, #ARGV, 3 do
  redis.call('HSET', KEYS[1], ARGV[a], ARGV[a + 2])
  redis.call('ZADD', KEYS[2], 0, ARGV[a])
  redis.call('ZREM', KEYS[5], ARGV[a])
  redis.call('XADD', KEYS[4], string.format('%.0f-%d', version, (a - 2) / 3), 'i', ARGV[a])
end
redis.call('XTRIM', KEYS[4], 'MAXLEN', ARGV[1])
return version
