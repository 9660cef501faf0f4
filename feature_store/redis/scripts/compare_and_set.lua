-- Sets KEYS[1] to ARGV[2] when it still holds ARGV[1] ("" for nothing), with a time to live of
-- ARGV[3] ms ("" for ever). Answers "" when it was set, else what the key holds now.
local held = redis.call('GET', KEYS[1]) or ''
if held ~= ARGV[1] then return held end
if ARGV[3] == '' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return ''
