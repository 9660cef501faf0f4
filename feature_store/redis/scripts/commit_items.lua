-- Makes gathered items count, all at once. KEYS: data, order, version, changes, deleted,
-- staging.
-- Too many to tell one by one: the changes are dropped, so that readers load everything again.
-- Answers the new version, or 0 when the gathered items are gone.
local cursor, moved = '0', 0
repeat
  local page = redis.call('HSCAN', KEYS[6], cursor, 'COUNT', 1000)
  cursor = page[1]
  for i = 1, #page[2], 2 do
    redis.call('HSET', KEYS[1], page[2][i], page[2][i + 1])
    redis.call('ZADD', KEYS[2], 0, page[2][i])
    redis.call('ZREM', KEYS[5], page[2][i])
    moved = moved + 1
  end
until cursor == '0'
if moved == 0 then return 0 end
redis.call('DEL', KEYS[4], KEYS[6])
return redis.call('INCR', KEYS[3])
