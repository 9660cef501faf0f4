-- The short names the scripts use. ARGV[1] is six int64: cap, spare, slack, remember, ttl, now.
local call, sub, find, byte = redis.call, string.sub, string.find, string.byte
local pack, unpack, concat = struct.pack, struct.unpack, table.concat
local KEYS, ARGV = KEYS, ARGV
local cap, spare, slack, remember, ttl, now = unpack('<i8i8i8i8i8i8', ARGV[1])
local R, H, LIMIT, DAY = 56, 272, 9007199254740991, 86400000
