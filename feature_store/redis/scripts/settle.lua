-- Takes one notice about a bid (accounts.lua stands before this). ARGV: time, word (w, b or l),
-- bid, lease, day, reserved, cost, until ms, how long the breaker holds in ms.
-- Answers one word, see feature_store.budgets.Settled.
local word, bid, day = ARGV[2], ARGV[3], ARGV[5]
local reserved, cost = tonumber(ARGV[6]), tonumber(ARGV[7])

local function told(which) return redis.call('ZSCORE', marks, which .. bid) end

if now >= tonumber(ARGV[8]) then return 'late' end
if told(word) then return 'duplicate' end

local function spend()
  add('s', cost)
  add('s:' .. day, cost)
  local minute, at = math.floor(now / 60000), held('m')
  if minute ~= at then
    local before = minute == at + 1 and held('mc') or 0
    redis.call('HSET', account, 'm', whole(minute), 'mc', 0, 'mp', whole(before))
  end
  add('mc', cost)
  local bound = redis.call('HGET', account, 'lm')
  if bound and bound ~= '' then
    local before = math.floor(held('mp') * (60000 - now % 60000) / 60000)
    if held('mc') + before > tonumber(bound) then
      redis.call('HSET', account, 'x', whole(now + tonumber(ARGV[9])))
    end
  end
end

if word ~= 'w' then
  if cost < 0 or cost > reserved then return 'overdrawn' end
  if word == 'l' and told('b') then return 'contradiction' end
  if told('l') then
    -- What it had set aside was freed: it is paid only if as much is free now.
    if room(day) < cost then return 'no_room' end
    spend()
  else
    local lease = find_lease(ARGV[4])
    if not lease then return 'closed' end
    if lease.left < reserved or lease.day ~= day then return 'overdrawn' end
    free(lease, reserved)
    keep_lease(lease)
    if word == 'b' then spend() end
  end
end
redis.call('ZADD', marks, ARGV[8], word .. bid)
add(word, 1)
return 'taken'
