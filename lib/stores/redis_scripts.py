"""What Redis does in one step. Keys and arithmetic are those of `limits`' own scripts, for some limits at once.

A count's key lives for two windows, so its remaining life (PTTL, ms) says which window it is.
"""

TAKE = """
-- KEYS: previous and current window of each limit. ARGV: limit, seconds, amount of each.
-- The answer: for each limit whether it fits, previous count, its ttl, current count, its ttl.
local answer, fits = {}, true
for i = 1, #KEYS, 2 do
  local at = (i - 1) / 2 * 3
  local limit, expiry, amount = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]) * 1000, tonumber(ARGV[at + 3])
  local ttl = redis.call('pttl', KEYS[i + 1])
  if ttl > 0 and ttl < expiry then
    redis.call('rename', KEYS[i + 1], KEYS[i])
    redis.call('set', KEYS[i + 1], 0, 'PX', ttl + expiry)
  end
  local previous = tonumber(redis.call('get', KEYS[i]) or 0)
  local previous_ttl = math.max(redis.call('pttl', KEYS[i]), 0)
  local current = tonumber(redis.call('get', KEYS[i + 1]) or 0)
  local current_ttl = math.max(redis.call('pttl', KEYS[i + 1]), 0)
  local fit = math.floor(previous * previous_ttl / expiry) + current + amount <= limit
  fits = fits and fit
  for _, value in ipairs({fit and 1 or 0, previous, previous_ttl, current, current_ttl}) do
    answer[#answer + 1] = value
  end
end
if not fits then
  return answer
end
for i = 1, #KEYS, 2 do
  local at = (i - 1) / 2
  local expiry, amount = tonumber(ARGV[at * 3 + 2]) * 1000, ARGV[at * 3 + 3]
  if answer[at * 5 + 5] > 0 then
    answer[at * 5 + 4] = redis.call('incrby', KEYS[i + 1], amount)
  else
    redis.call('set', KEYS[i + 1], amount, 'PX', expiry * 2)
    answer[at * 5 + 4], answer[at * 5 + 5] = tonumber(amount), expiry * 2
  end
end
return answer
"""

CORRECT = """
-- KEYS: both windows. ARGV: the change, the ttl that the window has which is meant, seconds.
local change, expected, half = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]) * 500
for _, key in ipairs(KEYS) do
  local ttl = redis.call('pttl', key)
  if ttl > 0 and math.abs(ttl - expected) < half then
    return redis.call('incrby', key, math.max(change, -tonumber(redis.call('get', key))))
  end
end
return 0
"""
