-- Lends a slice of a budget (accounts.lua stands before this). ARGV: time, version, daily, total,
-- per minute ("" for none), want, least, usable ms, hold ms, how many days follow, then each
-- day's start and number, then each lease that is done with and what was reserved in it.
-- Answers {lease, amount, now, stop, close, day, refusal}.
local version, want, least = tonumber(ARGV[2]), tonumber(ARGV[6]), tonumber(ARGV[7])
local days = tonumber(ARGV[10])

for a = 11 + 2 * days, #ARGV, 2 do
  local lease = find_lease(ARGV[a])
  if lease and lease.sealed == '0' then
    lease.sealed = '1'
    free(lease, math.max(0, math.min(lease.left, lease.granted - tonumber(ARGV[a + 1]))))
    keep_lease(lease)
  end
end

if version > held('v') then
  redis.call('HSET', account, 'v', ARGV[2], 'ld', ARGV[3], 'lt', ARGV[4], 'lm', ARGV[5])
end
if want <= 0 then return {0, 0, now, now, now, 0, ''} end
if held('x') > now then return {0, 0, now, now, now, 0, 'tripped'} end

local day, ends
for d = 0, days - 2 do
  local a = 11 + 2 * d
  if tonumber(ARGV[a]) <= now and now < tonumber(ARGV[a + 2]) then
    day, ends = ARGV[a + 1], tonumber(ARGV[a + 2])
  end
end
if not day then return {0, 0, now, now, now, 0, 'clock'} end

local newest = held('dd')
if tonumber(day) > newest then
  redis.call('HSET', account, 'dd', day)
  -- Days long gone are forgotten; a lease is held for far less than a week.
  if newest > 0 then
    for old = newest - 7, math.min(tonumber(day) - 8, newest) do
      redis.call('HDEL', account, 's:' .. whole(old), 'o:' .. whole(old))
    end
  end
end

local most = room(day)
if most < math.max(least, 1) then return {0, 0, now, now, now, tonumber(day), 'spent'} end
-- Towards the end nobody takes all: the last money is shared out in halves.
local amount = math.max(least, math.min(want, math.floor(most / 2)), 1)
local number = redis.call('HINCRBY', account, 'n', 1)
local stop = math.min(now + tonumber(ARGV[8]), ends)
local close = stop + tonumber(ARGV[9])
add('o', amount)
add('o:' .. day, amount)
keep_lease({number = whole(number), granted = amount, left = amount, day = day,
  close = whole(close), sealed = '0'})
redis.call('ZADD', closings, whole(close), whole(number))
return {number, amount, now, stop, close, tonumber(day), ''}
