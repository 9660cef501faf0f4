-- The common cases of append.lua, before it: one event, the first of an entity or later than all
-- of a short history.
-- Nothing is defined here that it does not need; what it leaves aside is finished after it.
-- ARGV[1] is six int64: cap, spare, slack, remember, ttl, now (ms).
local call, sub, find, byte = redis.call, string.sub, string.find, string.byte
local pack, unpack, concat = struct.pack, struct.unpack, table.concat
local KEYS, ARGV = KEYS, ARGV
local cap, spare, slack, remember, ttl, now = unpack('<i8i8i8i8i8i8', ARGV[1])
local R, H, LIMIT, DAY = 56, 272, 9007199254740991, 86400000
local ZEROS = string.rep('\0', 112)
local left, histories, links = {}, {}, {}
for k = 2, #KEYS, 3 do
  local hk, third, added = KEYS[k], KEYS[k + 2], ARGV[(k + 7) / 3]
  local link = byte(third) == 108 and call('GET', third)
  local h = not link and call('GET', hk)
  -- Bytes that cannot be a history are written over: failing half way would cost the others.
  if h and (#h < H or (#h - H) % R > 0) then h = false end
  local done = false
  if #added == R and h and #h < H + 64 * R then
    local at, id, value, kind, currency =
      unpack('<i8c8xxxxxxxxi8xxxxxxxxxxxxxxxxxxxxBxI2', added)
    if at > unpack('<i8', h, #h - R + 1) and now - unpack('<i8', h, 9) <= DAY
      and not find(h, id, H + 9, true) then
      -- Only the last time seen, one count and perhaps one value of the header change.
      local c = 33 + 8 * kind
      local head = sub(added, 1, 8) .. sub(h, 33, c - 1) .. pack('<i8', unpack('<i8', h, c) + 1)
      local till = c + 8
      if value ~= 0 and currency == 0 then
        local v = 153 + 8 * kind
        local sum = unpack('<i8', h, v) + value
        if sum > LIMIT then sum = LIMIT elseif sum < -LIMIT then sum = -LIMIT end
        head, till = head .. sub(h, till, v - 1) .. pack('<i8', sum), v + 8
      end
      if #h < 1024 then
        call('SET', hk, sub(h, 1, 24) .. head .. sub(h, till) .. added, 'KEEPTTL')
      else
        call('SETRANGE', hk, 24, head)
        call('APPEND', hk, added)
      end
      done = true
    end
  elseif #added == R and not h and not link then
    local value, kind, currency = unpack('<i8xxxxxxxxxxxxxxxxxxxxBxI2', added, 25)
    local at = sub(added, 1, 8)
    call('SET', hk, pack('<i8i8', 1, now) .. at .. at .. sub(ZEROS, 1, 8 * kind) .. pack('<i8', 1)
      .. ZEROS .. pack('<i8', currency == 0 and value or 0) .. sub(ZEROS, 8 * kind + 1) .. added,
      'PX', ttl)
    if byte(third) == 112 then call('PEXPIRE', third, ttl) end
    done = true
  end
  if not done then
    local n = #left + 1
    left[n], histories[n], links[n] = k, h, link
  end
end
if #left == 0 then
  call('XADD', KEYS[1], '*', 'r', concat(ARGV, '', 3), 'p', ARGV[2])
  return 1
end
