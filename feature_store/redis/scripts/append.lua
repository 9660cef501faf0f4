-- Appends the new events of one bucket to their histories and to the bucket's stream; here
-- what in_order.lua left aside: `left` (places in KEYS), their `histories` and `links`.
-- KEYS: stream, then for each entity: history, ids that left it, profile (user) or link (session).
-- ARGV[2]: the payloads of all events, each behind its length (uint32).
-- ARGV[3..]: for each entity its records, in (at, event) order, each id once.
-- Answers 1 when every event was accepted, else for each entity "0"/"1" an event, or "L" and
-- the link when the session belongs to a user: then nothing of it was appended.

-- The header's numbers of kinds as bytes, with `added` counted in.
local function counted(h, added)
  if #added > R then
    local slots = { unpack(SLOTS, h, 33) }
    slots[31] = nil
    count(slots, added, 1)
    return pack(SLOTS, _G.unpack(slots))
  end
  local kind, value = byte(added, 53), unpack('<i8', added, 25)
  local c, v = 33 + 8 * kind, 153 + 8 * kind
  local one_more = pack('<i8', unpack('<i8', h, c) + 1)
  if value == 0 or byte(added, 55) + byte(added, 56) > 0 then
    return sub(h, 33, c - 1) .. one_more .. sub(h, c + 8, H)
  end
  return sub(h, 33, c - 1) .. one_more .. sub(h, c + 8, v - 1)
    .. pack('<i8', clamp(unpack('<i8', h, v) + value)) .. sub(h, v + 8, H)
end

local out, kept, refused, all = {}, {}, {}, true
for e = 3, #ARGV do out[e - 2], kept[e - 2] = string.rep('1', #ARGV[e] / R), ARGV[e] end
for n = 1, #left do
  local k = left[n]
  local entity = (k + 1) / 3
  local hk, gk, third, added = KEYS[k], KEYS[k + 1], KEYS[k + 2], ARGV[entity + 2]
  local is_session = byte(third) == 108
  if links[n] then
    out[entity], all, kept[entity], refused[entity] = 'L' .. links[n], false, '', true
  else
    local h, gone, status = histories[n], false, false
    if h then
      gone = #h >= H + 64 * R and call('GET', gk)
      for p = 9, #added, R do
        local id = sub(added, p, p + 7)
        if holds(h, id, 281, R) or gone and holds(gone, id, 1, 8) then
          status = status or {}
          status[(p + 47) / R] = true
        end
      end
    end
    if status then
      local fresh, marks = {}, {}
      for i = 1, #added / R do
        if not status[i] then fresh[#fresh + 1] = sub(added, (i - 1) * R + 1, i * R) end
        marks[i] = status[i] and '0' or '1'
      end
      all, refused[entity], added, out[entity] = false, status, concat(fresh), concat(marks)
      kept[entity] = added
    end
    if #added > 0 then
      local first, last = unpack('<i8', added), unpack('<i8', added, #added - R + 1)
      local refresh = false
      if not h and #added > (cap + slack) * R then
        h = pack('<i8i8i8i8', 1, now - 2 * DAY, LIMIT, -LIMIT) .. string.rep('\0', 240)
      end
      if not h then
        local head = pack('<i8i8i8i8', 1, now, first, last)
        local zeros = string.rep('\0', H)
        call('SET', hk, head .. counted(zeros, added) .. added, 'PX', ttl)
        if not is_session then call('PEXPIRE', third, ttl) end
      else
        local _, touched, oldest, newest = unpack('<i8i8i8i8', h)
        refresh = now - touched > DAY
        local head = pack('<i8i8i8i8', 1, refresh and now or touched,
          first < oldest and first or oldest, last > newest and last or newest)
          .. counted(h, added)
        if #h < 1024 and #added < 1024 and #h > H and before(h, #h - R + 1, added, 1) then
          call('SET', hk, head .. sub(h, H + 1) .. added, 'KEEPTTL')
        else
          insert(hk, gk, h, head, added, gone)
        end
      end
      if refresh then
        call('PEXPIRE', hk, ttl)
        call('PEXPIRE', gk, ttl)
        if not is_session then call('PEXPIRE', third, ttl) end
      end
    end
  end
end
if all then
  call('XADD', KEYS[1], '*', 'r', concat(ARGV, '', 3), 'p', ARGV[2])
  return 1
end
local records = concat(kept)
if #records > 0 then
  local p, payloads = 1, {}
  for e = 1, #out do
    local no = refused[e]
    for i = 1, #ARGV[e + 2] / R do
      local next_one = p + 4 + unpack('<I4', ARGV[2], p)
      if not no or no ~= true and not no[i] then
        payloads[#payloads + 1] = sub(ARGV[2], p, next_one - 1)
      end
      p = next_one
    end
  end
  call('XADD', KEYS[1], '*', 'r', records, 'p', concat(payloads))
end
return out
