-- What the scripts of money share. KEYS: account (hash), leases (hash: number to
-- "granted left day close sealed"), closings (sorted set: number by close), marks (sorted set:
-- word and bid by until when they are remembered). ARGV[1]: the time in ms, "" for the server's.
-- Account: s, o spent and lent in all; s:<day>, o:<day> the same a day; v, ld, lt, lm version and
-- limits; n last lease; w, b, l notices; c, k, kv clicks, conversions, their value; fc, fk the
-- foretold ones; m, mc, mp the minute, spent in it and in the one before; x tripped until; dd the
-- newest day. Amounts are whole numbers below 2^53.
local account, leases, closings, marks = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

-- A minus zero is no whole number to the server: adding 0 makes it one.
local function whole(number) return string.format('%.0f', number + 0) end
local function held(field) return tonumber(redis.call('HGET', account, field) or 0) end
local function add(field, amount) redis.call('HINCRBY', account, field, whole(amount)) end

local now
if ARGV[1] == '' then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
else
  now = tonumber(ARGV[1])
end

local function find_lease(number)
  local text = redis.call('HGET', leases, number)
  if not text then return nil end
  local granted, left, day, close, sealed = string.match(text, '^(%d+) (%d+) (%d+) (%d+) (%d)$')
  return {number = number, granted = tonumber(granted), left = tonumber(left), day = day,
    close = close, sealed = sealed}
end

local function drop_lease(number)
  redis.call('HDEL', leases, number)
  redis.call('ZREM', closings, number)
end

local function keep_lease(lease)
  if lease.sealed == '1' and lease.left == 0 then return drop_lease(lease.number) end
  redis.call('HSET', leases, lease.number, table.concat(
    {whole(lease.granted), whole(lease.left), lease.day, lease.close, lease.sealed}, ' '))
end

local function free(lease, amount)
  lease.left = lease.left - amount
  add('o', -amount)
  add('o:' .. lease.day, -amount)
end

local function room(day)
  local total, daily = redis.call('HGET', account, 'lt'), redis.call('HGET', account, 'ld')
  local least = nil
  if total and total ~= '' then least = tonumber(total) - held('s') - held('o') end
  if daily and daily ~= '' then
    local today = tonumber(daily) - held('s:' .. day) - held('o:' .. day)
    if not least or today < least then least = today end
  end
  return least or 0
end

for _, number in ipairs(redis.call('ZRANGEBYSCORE', closings, '-inf', whole(now))) do
  local lease = find_lease(number)
  if lease then free(lease, lease.left) end
  drop_lease(number)
end
redis.call('ZREMRANGEBYSCORE', marks, '-inf', whole(now))
