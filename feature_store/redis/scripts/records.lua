-- Shared by the scripts that change histories; put before them when they are loaded.
-- A history is a header of 34 int64 and 56-byte records in (at, event) order; see
-- feature_store/records.py. Comes after names.lua or in_order.lua, which name what it uses.
local SLOTS = '<i8i8i8i8i8i8i8i8i8i8i8i8i8i8i8i8i8i8i8i8i8i8i8i8i8i8i8i8i8i8'

-- Tells whether `bytes` holds the 8 bytes `id` at `first` or whole steps after it.
local function holds(bytes, id, first, step)
  local p = find(bytes, id, first, true)
  while p do
    if (p - first) % step == 0 then return true end
    p = find(bytes, id, p + 1, true)
  end
  return false
end

-- Tells whether the record at x[px] sorts before the one at y[py].
local function before(x, px, y, py)
  local ax, lx, hx = unpack('<i8I4I4', x, px)
  local ay, ly, hy = unpack('<i8I4I4', y, py)
  if ax ~= ay then return ax < ay end
  if hx ~= hy then return hx < hy end
  return lx < ly
end

local function clamp(value)
  if value > LIMIT then return LIMIT elseif value < -LIMIT then return -LIMIT end
  return value
end

-- Adds `times` each of `records` to the header's 30 numbers of kinds, a table.
local function count(slots, records, times)
  for p = 0, #records - 1, R do
    local kind = byte(records, p + 53)
    slots[kind + 1] = slots[kind + 1] + times
    if byte(records, p + 55) + byte(records, p + 56) == 0 then
      slots[kind + 16] = clamp(slots[kind + 16] + times * unpack('<i8', records, p + 25))
    end
  end
end

-- Merges two runs of records, each in order; the first begins at x[px].
local function merged(x, px, y)
  local out, py, nx, ny = {}, 1, #x, #y
  while px <= nx and py <= ny do
    if before(x, px, y, py) then
      out[#out + 1] = sub(x, px, px + R - 1)
      px = px + R
    else
      out[#out + 1] = sub(y, py, py + R - 1)
      py = py + R
    end
  end
  out[#out + 1] = sub(x, px) .. sub(y, py)
  return concat(out)
end

-- Where in h the first record sorting after the first of `added` begins, less one.
local function place(h, added)
  local lo, hi = 0, (#h - H) / R
  while lo < hi do
    local mid = math.floor((lo + hi) / 2)
    if before(h, H + mid * R + 1, added, 1) then lo = mid + 1 else hi = mid end
  end
  return H + lo * R
end

-- Writes new records into a history that exists: `h` as it is, `head` as it shall be.
-- Records older than a history that was trimmed before (`gone` holds ids) and those trimmed
-- now leave only their ids.
local function insert(hk, gk, h, head, added, gone)
  local late = ''
  if gone and #h > H then
    local ids, p = {}, 1
    while p <= #added and before(added, p, h, H + 1) do
      ids[#ids + 1] = sub(added, p + 8, p + 15)
      p = p + R
    end
    late, added = concat(ids), sub(added, p)
  end
  local from = #h
  if #added > 0 and from > H and before(added, 1, h, from - R + 1) then
    from = place(h, added)
    added = merged(h, from + 1, added)
  end
  local size = (from - H + #added) / R
  if size > cap + slack then
    local body, ids = sub(h, H + 1, from) .. added, {}
    local cut = (size - cap - spare) * R
    for p = 1, cut, R do ids[#ids + 1] = sub(body, p + 8, p + 15) end
    late = late .. concat(ids)
    call('SET', hk, head .. sub(body, cut + 1), 'KEEPTTL')
  else
    call('SETRANGE', hk, 0, head)
    if #added > 0 then call('SETRANGE', hk, from, added) end
  end
  if #late > 0 then
    local length = call('APPEND', gk, late)
    if length > 8 * (remember + 512) then
      call('SET', gk, call('GETRANGE', gk, length - 8 * remember, -1))
    end
    call('PEXPIRE', gk, ttl)
  end
end
