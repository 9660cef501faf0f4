-- Deletes items, tells of the change, and remembers it for good.
-- KEYS: data, order, version, changes, deleted.
-- ARGV: how many changes to keep, then ids. Answers how many existed.
local gone = {}
for a = 2, #ARGV do
  if redis.call('HDEL', KEYS[1], ARGV[a]) == 1 then
    redis.call('ZREM', KEYS[2], ARGV[a])
    redis.call('ZADD', KEYS[5], 0, ARGV[a])
    gone[#gone + 1] = ARGV[a]
  end
end
if #gone == 0 then return 0 end
local version = redis.call('INCR', KEYS[3])
for i, id in ipairs(gone) do
  redis.call('XADD', KEYS[4], string.format('%.0f-%d', version, i - 1), 'i', id)
end
redis.call('XTRIM', KEYS[4], 'MAXLEN', ARGV[1])
return #gone
