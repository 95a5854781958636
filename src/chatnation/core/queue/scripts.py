"""What must happen in Redis as one step, in Lua.

`count` arguments come in groups of three: minute, `<tenant>/<project>`, number of events.

A server whose memory is full refuses scripts, except those that say `allow-oom`: all that empty the stream must, or a
full stream would stay full for ever.
"""

from __future__ import annotations

from hashlib import sha1

FULL = "FULL"

PUBLISH = """
-- KEYS: stream, depth, changed minutes. ARGV: limit, ledger prefix, entry, events, then counts of what is received
-- for the first time, an empty argument, and counts of what was replayed.
local events = tonumber(ARGV[4])
local waiting = tonumber(redis.call('GET', KEYS[2]) or 0)
if waiting > 0 and waiting + events > tonumber(ARGV[1]) then
    return redis.error_reply('FULL ' .. waiting .. ' events wait in the stream')
end
redis.call('XADD', KEYS[1], '*', 'd', ARGV[3])
redis.call('INCRBY', KEYS[2], events)
local first = true
local i = 5
while i <= #ARGV do
    if ARGV[i] == '' then
        first = false
        i = i + 1
    else
        local counts = ARGV[2] .. ARGV[i]
        redis.call('HINCRBY', counts, ARGV[i + 1] .. '/queued', ARGV[i + 2])
        if first then redis.call('HINCRBY', counts, ARGV[i + 1] .. '/received', ARGV[i + 2]) end
        redis.call('SADD', KEYS[3], ARGV[i])
        i = i + 3
    end
end
return waiting + events
"""
"""Add an entry unless the stream is full; gives the number of events that wait."""

PUBLISH_SHA = sha1(PUBLISH.encode(), usedforsecurity=False).hexdigest()
"""The name by which the server knows `PUBLISH`, once it has run."""

ACKNOWLEDGE = """#!lua flags=allow-oom
-- KEYS: stream, depth, changed minutes. ARGV: group, ledger prefix, then for each entry its id, the number of its
-- counts, and the counts.
local total, counts, ids = 0, {}, {}
local i = 3
while i <= #ARGV do
    local gone = redis.call('XDEL', KEYS[1], ARGV[i]) == 0
    ids[#ids + 1] = ARGV[i]
    local last = i + 1 + 3 * tonumber(ARGV[i + 1])
    for j = i + 2, last, 3 do
        -- An entry that somebody else acknowledged before us was counted then.
        if not gone then
            local minute = counts[ARGV[j]]
            if not minute then
                minute = {}
                counts[ARGV[j]] = minute
            end
            minute[ARGV[j + 1]] = (minute[ARGV[j + 1]] or 0) + ARGV[j + 2]
            total = total + ARGV[j + 2]
        end
    end
    i = last + 1
end
for first = 1, #ids, 1000 do
    redis.call('XACK', KEYS[1], ARGV[1], unpack(ids, first, math.min(first + 999, #ids)))
end
for minute, projects in pairs(counts) do
    for project, events in pairs(projects) do
        redis.call('HINCRBY', ARGV[2] .. minute, project .. '/queued', string.format('%d', -events))
    end
    redis.call('SADD', KEYS[3], minute)
end
if redis.call('XLEN', KEYS[1]) == 0 then
    redis.call('DEL', KEYS[2])
elseif total > 0 then
    redis.call('DECRBY', KEYS[2], string.format('%d', total))
end
return total
"""
"""Acknowledge and delete entries; gives the number of events that left the stream by it."""

SET_ASIDE = """#!lua flags=allow-oom
-- KEYS: stream, unreadable. ARGV: group, id, raw entry.
if redis.call('XDEL', KEYS[1], ARGV[2]) == 1 then
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'id', ARGV[2], 'd', ARGV[3])
end
return redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
"""
"""Move an entry that cannot be read out of the way."""

FORGET_CONSUMER = """#!lua flags=allow-oom
-- KEYS: stream. ARGV: group, consumer.
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return 1
"""
"""Delete a consumer that holds nothing; with entries in its hands it would take them along."""

MAKE_GROUP = """#!lua flags=allow-oom
-- KEYS: stream. ARGV: group.
return redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
"""
"""Make the consumer group; an error that starts with BUSYGROUP says that it is there."""

TAKE_LEASE = """#!lua flags=allow-oom
-- KEYS: lease. ARGV: holder expected, new holder, milliseconds.
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""
"""Take, steal or renew a lease if its holder is who we think it is."""
