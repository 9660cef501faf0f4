-- Puts items and tells of the change. KEYS: data, order, version, changes.
-- ARGV: how many changes to keep, then id and JSON by turns. Answers the new version.
local version = redis.call('INCR', KEYS[3])
for a = 2, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[a], ARGV[a + 1])
  redis.call('ZADD', KEYS[2], 0, ARGV[a])
  redis.call('XADD', KEYS[4], string.format('%.0f-%d', version, a / 2 - 1), 'i', ARGV[a])
end
redis.call('XTRIM', KEYS[4], 'MAXLEN', ARGV[1])
return version
