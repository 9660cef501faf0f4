-- Counts what came of a campaign, once under a mark (accounts.lua stands before this). ARGV: time,
-- mark, until ms, clicks, conversions, value. Answers 1 when it was counted, else 0.
if now >= tonumber(ARGV[3]) or redis.call('ZSCORE', marks, ARGV[2]) then return 0 end
redis.call('ZADD', marks, ARGV[3], ARGV[2])
for place, field in ipairs({'c', 'k', 'kv'}) do
  local amount = tonumber(ARGV[3 + place])
  if amount ~= 0 then add(field, amount) end
end
return 1
