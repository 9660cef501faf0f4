-- Reads the changes of the catalogue after a version. KEYS: data, version, changes.
-- ARGV: the version. Answers {version, "all"} when they are no longer held, else
-- {version, version of change, id, JSON or "", …}.
local version, since = tonumber(redis.call('GET', KEYS[2]) or '0'), tonumber(ARGV[1])
local out = { string.format('%.0f', version) }
if since == version then return out end
local first = redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 1)[1]
local oldest, place = 0, 0
if first then oldest, place = string.match(first[1], '(%d+)-(%d+)') end
oldest = tonumber(oldest) + (tonumber(place) > 0 and 1 or 0)
if since > version or not first or oldest > since + 1 then return { out[1], 'all' } end
for _, entry in ipairs(redis.call('XRANGE', KEYS[3], string.format('%.0f-0', since + 1), '+')) do
  local id = entry[2][2]
  out[#out + 1] = string.match(entry[1], '%d+')
  out[#out + 1] = id
  out[#out + 1] = redis.call('HGET', KEYS[1], id) or ''
end
return out
