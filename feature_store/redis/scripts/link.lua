-- Links a session to a user in the session's bucket, and answers what is left to carry over.
-- KEYS: link, history, ids that left it, scores. ARGV: user entity, ttl (ms), "finish" or "".
-- A link is "0" (history not carried yet) or "1" (carried), then the user entity.
-- Answers {"other"} when it belongs to another user, {"done"} when it was carried, else
-- {"carry", history, ids}. With "finish" the session's own copy is removed and the link is done.
local link = redis.call('GET', KEYS[1])
if link and string.sub(link, 2) ~= ARGV[1] then return { 'other' } end
if link and string.sub(link, 1, 1) == '1' then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return { 'done' }
end
if ARGV[3] == 'finish' then
  redis.call('SET', KEYS[1], '1' .. ARGV[1], 'PX', ARGV[2])
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
  return { 'done' }
end
if not link then redis.call('SET', KEYS[1], '0' .. ARGV[1], 'PX', ARGV[2]) end
return { 'carry', redis.call('GET', KEYS[2]) or '', redis.call('GET', KEYS[3]) or '' }
