"""The database and the stream, whoever runs them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError
from sqlalchemy import text

from chatnation.core.diagnosis.finding import Finding, failure, ok, size, warning
from chatnation.core.errors import ChatnationError, QueueUnavailable
from chatnation.core.queue.redis import RedisQueue
from chatnation.core.settings import Settings
from chatnation.core.storage.storage import Storage

_OLDEST_POSTGRES = 150_000
_OLDEST = {"redis": 7, "valkey": 8}
_CLOCK_TOLERANCE_SECONDS = 5.0
_OLD_ENTRY_SECONDS = 120.0

_DATABASE = text("""
    SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
           current_user AS role, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS mighty,
           pg_database_size(current_database()) AS bytes, extract(epoch FROM clock_timestamp())::float8 AS now,
           current_setting('fsync') AS fsync
""")


async def database(storage: Storage) -> AsyncIterator[Finding]:
    """Whether the database answers, is new enough, and lets us do no more than we need."""
    try:
        async with storage.system("doctor") as connection:
            row = (await connection.execute(_DATABASE)).one()
    except (ChatnationError, OSError) as error:
        yield failure("database", str(error), "Is it running, and is CHATNATION_DATABASE_URL right?")
        return
    facts = {"version": row.version, "role": row.role, "bytes": row.bytes}
    if row.number < _OLDEST_POSTGRES:
        yield failure("database", f"PostgreSQL {row.version}", "Chatnation needs PostgreSQL 15 or newer.", **facts)
    else:
        yield ok("database", f"PostgreSQL {row.version}, {size(row.bytes)}, role {row.role}", **facts)
    if row.mighty:
        yield warning(
            "database role",
            f"{row.role} is a superuser: whoever takes over a process of ours has the whole server",
            "Log in as an ordinary role that owns the database: CREATE ROLE chatnation LOGIN; "
            "ALTER DATABASE … OWNER TO chatnation.",
        )
    if row.fsync == "off":
        yield warning("database", "fsync is off: a crash of the machine may destroy the data", "Set fsync = on.")
    skew = time.time() - row.now
    if abs(skew) > _CLOCK_TOLERANCE_SECONDS:
        yield warning(
            "clock",
            f"this machine and the database differ by {abs(skew):.0f} s",
            "Keep both on time with NTP: event times come from this machine.",
            skew_seconds=skew,
        )


async def stream_server(redis: Redis) -> AsyncIterator[Finding]:
    """Whether Redis or Valkey answers, is new enough, and keeps what it accepted."""
    try:
        info: dict[str, Any] = await redis.info()
    except (RedisError, OSError) as error:
        yield failure("stream server", str(error), "Is it running, and is CHATNATION_REDIS_URL right?")
        return
    name = "valkey" if "valkey_version" in info else "redis"
    version = str(info[f"{name}_version"])
    facts = {"server": name, "version": version, "used_bytes": info["used_memory"], "limit_bytes": info["maxmemory"]}
    if int(version.split(".")[0]) < _OLDEST[name]:
        yield failure("stream server", f"{name} {version}", "Chatnation needs Redis 7 or Valkey 8.", **facts)
    else:
        yield ok("stream server", f"{name} {version}, {size(info['used_memory'])} used", **facts)
    if not info["aof_enabled"]:
        yield warning(
            "stream server",
            "its append-only file is off: events that were accepted are lost when it crashes",
            "Set appendonly yes, and appendfsync always.",
        )
    elif info["aof_last_write_status"] != "ok":
        yield failure("stream server", "its append-only file cannot be written", "Look at its disk and its log.")
    async for finding in _memory(redis, info):
        yield finding


async def _memory(redis: Redis, info: dict[str, Any]) -> AsyncIterator[Finding]:
    if info["maxmemory"] and info["used_memory"] > 0.9 * info["maxmemory"]:
        yield warning("stream server", "its memory is nearly used up", "Is the worker running? Raise maxmemory.")
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        yield failure(
            "stream server",
            f"with its memory full it throws events away ({policy})",
            "Set maxmemory-policy noeviction.",
        )


async def stream(queue: RedisQueue, settings: Settings) -> Finding:
    """How much waits, and for how long."""
    try:
        depth, oldest_ms = await queue.depth(), await queue.oldest_ms()
    except (QueueUnavailable, ResponseError) as error:
        return failure("stream", str(error), "See the stream server above.")
    waiting = sum(depth.values())
    facts = {"events": waiting, "by_partition": {str(n): events for n, events in depth.items()}}
    if waiting > settings.stream_max_events * 0.8:
        return failure(
            "stream",
            f"{waiting:,} events wait; when it is full, no more are taken",
            "Start more workers.",
            **facts,
        )
    age = time.time() - oldest_ms / 1000 if oldest_ms else 0.0
    if age > _OLD_ENTRY_SECONDS:
        return warning(
            "stream",
            f"{waiting:,} events wait, the oldest for {age / 60:.0f} min",
            "Is a worker running? Its log says what holds it up.",
            **facts,
        )
    return ok("stream", f"{waiting:,} events wait", **facts)
