-- Carries a session's history over to its user, once, in the user's bucket.
-- KEYS: history, ids that left it, profile, mark, stream.
-- ARGV[2]: the session's history, or "". ARGV[3]: the ids that left it. ARGV[4]: the record of
-- the link. ARGV[5]: its payload behind its length (uint32).
-- Answers how many events were carried; 0 when it was done before.
if not call('SET', KEYS[4], '1', 'NX', 'PX', ttl) then return 0 end
call('XADD', KEYS[5], '*', 'r', ARGV[4], 'p', ARGV[5])
-- Bytes that cannot be a history are as if they were not there.
local function whole(bytes) return #bytes >= H and (#bytes - H) % R == 0 end
if not whole(ARGV[2]) then return 0 end
local h = call('GET', KEYS[1])
if not h or not whole(h) then
  call('DEL', KEYS[1])
  h = pack('<i8i8i8i8', 1, now, LIMIT, -LIMIT) .. string.rep('\0', 240)
end
local gone = call('GET', KEYS[2])
local fresh, twice = {}, {}
for p = H + 1, #ARGV[2], R do
  local record = sub(ARGV[2], p, p + R - 1)
  local id = sub(record, 9, 16)
  if holds(h, id, 281, R) or gone and holds(gone, id, 1, 8) then
    twice[#twice + 1] = record
  else
    fresh[#fresh + 1] = record
  end
end
local slots, theirs = { unpack(SLOTS, h, 33) }, { unpack(SLOTS, ARGV[2], 33) }
slots[31] = nil
count(theirs, concat(twice), -1)
local carried = 0
for i = 1, 30 do
  slots[i] = clamp(slots[i] + theirs[i])
  if i <= 15 then carried = carried + theirs[i] end
end
local _, _, oldest, newest = unpack('<i8i8i8i8', h)
local _, _, first, last = unpack('<i8i8i8i8', ARGV[2])
local head = pack('<i8i8i8i8', 1, now, math.min(oldest, first), math.max(newest, last))
  .. pack(SLOTS, _G.unpack(slots))
if ARGV[3] ~= '' then call('APPEND', KEYS[2], ARGV[3]) end
insert(KEYS[1], KEYS[2], h, head, concat(fresh), gone)
for i = 1, 3 do call('PEXPIRE', KEYS[i], ttl) end
return carried
