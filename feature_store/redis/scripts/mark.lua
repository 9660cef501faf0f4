-- Sets the bits ARGV[2], ARGV[3], … of KEYS[1], and lets the key live ARGV[1] ms from now: no bit is
-- ever set that would stay for good. Answers of each what it was before.
local before = {}
for place = 2, #ARGV do
  before[place - 1] = redis.call('SETBIT', KEYS[1], ARGV[place], 1)
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return before
