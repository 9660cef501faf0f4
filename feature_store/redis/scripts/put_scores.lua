-- Puts scores beside those an entity has; of one name the one with the later as_of stays.
-- KEYS: scores, link. ARGV: frames as feature_store/scores.py writes them, time to live (ms).
-- Answers how many were taken; a session that belongs to a user takes none.
local unpack, sub = struct.unpack, string.sub
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end

-- Calls `each(name, as_of, frame)` for every whole frame.
local function walk(text, each)
  local p = 1
  while p + 10 <= #text do
    local as_of, size, width = unpack('<i8I2I1', text, p)
    local last = p + 10 + width + size
    if last > #text then return end
    each(sub(text, p + 11, p + 10 + width), as_of, sub(text, p, last))
    p = last + 1
  end
end

local order, times, frames, taken = {}, {}, {}, 0
local function keep(name, as_of, frame)
  if not frames[name] then order[#order + 1] = name end
  times[name], frames[name] = as_of, frame
end
walk(redis.call('GET', KEYS[1]) or '', keep)
walk(ARGV[1], function(name, as_of, frame)
  if not frames[name] or as_of >= times[name] then
    keep(name, as_of, frame)
    taken = taken + 1
  end
end)
if taken > 0 then
  for i = 1, #order do order[i] = frames[order[i]] end
  redis.call('SET', KEYS[1], table.concat(order), 'PX', ARGV[2])
end
return taken
