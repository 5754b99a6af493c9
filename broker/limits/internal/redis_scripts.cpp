#include "broker/limits/internal/redis_scripts.h"

namespace vivavoce::broker {

const char* const kTakeScript = R"lua(
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local limit, window, offender = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]

local function text(number)
    return string.format('%.0f', number)
end

if offender ~= '' then
    local block = redis.call('HMGET', KEYS[3], 'until', 'length', 'level')
    local ends, length = tonumber(block[1] or 0), tonumber(block[2] or 0)
    if ends - now > length * 1000 then
        ends = now + length * 1000
        redis.call('HSET', KEYS[3], 'until', text(ends))
        redis.call('ZADD', KEYS[5], text(ends), offender)
    end
    if ends > now then
        return {2, limit, ends - now, 0, tonumber(block[3]), length}
    end
end

if limit == 0 then
    return {1, 0, window, 0, 0, 0}
end

local newest = redis.call('LINDEX', KEYS[1], -1)
if newest and tonumber(newest) > now then
    local times = redis.call('LRANGE', KEYS[1], 0, -1)
    redis.call('DEL', KEYS[1])
    for _, time in ipairs(times) do
        redis.call('RPUSH', KEYS[1], text(math.min(tonumber(time), now)))
    end
end
local oldest = redis.call('LINDEX', KEYS[1], 0)
while oldest and now - tonumber(oldest) >= window do
    redis.call('LPOP', KEYS[1])
    oldest = redis.call('LINDEX', KEYS[1], 0)
end
local used = redis.call('LLEN', KEYS[1])

if used < limit then
    redis.call('RPUSH', KEYS[1], text(now))
    redis.call('PEXPIRE', KEYS[1], text(math.ceil(window / 1000)))
    return {0, used + 1, window - (now - tonumber(oldest or now)), 0, 0, 0}
end

local wait = window - (now - tonumber(redis.call('LINDEX', KEYS[1], used - limit)))
local wasTold = redis.call('EXISTS', KEYS[2]) == 1
redis.call('SET', KEYS[2], '1', 'PX', text(math.ceil(wait / 1000000) * 1000))

local threshold = tonumber(ARGV[4])
if offender == '' or threshold == 0 or not wasTold then
    return {1, used, wait, 0, 0, 0}
end
local first, longest, forgotten = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local violations = redis.call('HINCRBY', KEYS[4], ARGV[8], 1)
redis.call('PEXPIRE', KEYS[4], text(first))
local level = tonumber(redis.call('HGET', KEYS[3], 'level') or 0)
if violations < threshold then
    if level > 0 and redis.call('PTTL', KEYS[3]) < forgotten then
        redis.call('PEXPIRE', KEYS[3], text(forgotten))
    end
    return {1, used, wait, 0, 0, 0}
end

level = level + 1
local length = math.min(first * 2 ^ math.min(level - 1, 40), math.max(longest, first))
local ends = now + length * 1000
redis.call('DEL', KEYS[4])
redis.call('HSET', KEYS[3], 'until', text(ends), 'length', text(length), 'level', text(level), 'bucket', ARGV[8],
    'name', ARGV[9])
redis.call('PEXPIRE', KEYS[3], text(length + forgotten))
redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', text(now))
redis.call('ZADD', KEYS[5], text(ends), offender)
if redis.call('PTTL', KEYS[5]) < length then
    redis.call('PEXPIRE', KEYS[5], text(length))
end
return {2, used, length * 1000, 1, level, length}
)lua";

const char* const kLookScript = R"lua(
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])

if ARGV[3] ~= '' then
    local block = redis.call('HMGET', KEYS[2], 'until', 'length', 'level')
    local length = tonumber(block[2] or 0)
    local left = math.min(tonumber(block[1] or 0) - now, length * 1000)
    if left > 0 then
        return {2, limit, left, 0, tonumber(block[3]), length}
    end
end

if limit == 0 then
    return {1, 0, window, 0, 0, 0}
end

local young = {}
for _, time in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
    local admitted = math.min(tonumber(time), now)
    if now - admitted < window then
        table.insert(young, admitted)
    end
end
local used = #young
local wait = 0
if used > 0 then
    wait = window - (now - young[math.max(used - limit, 0) + 1])
end
return {used < limit and 0 or 1, used, wait, 0, 0, 0}
)lua";

const char* const kBlocksScript = R"lua(
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local answer = {}
local offenders = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now), '+inf', 'LIMIT', 0, ARGV[1])
for _, offender in ipairs(offenders) do
    local block = redis.call('HMGET', ARGV[2] .. offender, 'name', 'bucket', 'level', 'length', 'until')
    if block[1] then
        local length = tonumber(block[4])
        local left = math.min(math.ceil((tonumber(block[5]) - now) / 1000), length)
        for _, item in ipairs({block[1], block[2], tonumber(block[3]), length, left}) do
            table.insert(answer, item)
        end
    end
end
return answer
)lua";

const char* const kLiftScript = R"lua(
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local wasBlocked = tonumber(redis.call('HGET', KEYS[1], 'until') or 0) > now
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
return wasBlocked and 1 or 0
)lua";

} // namespace vivavoce::broker
