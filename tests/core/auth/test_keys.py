from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from chatnation.core.auth.key_actors import READ_PERMISSIONS, recognise_key
from chatnation.core.auth.key_cache import KeyCache
from chatnation.core.auth.keys import (
    KeyType,
    NewKey,
    create_key,
    find_grant,
    hash_key,
    list_keys,
    looks_like_key,
    revoke_key,
)
from chatnation.core.auth.tenancy import IpMode, MaskingRule, Project, Unknown, change_project, create_project
from chatnation.core.errors import ChatnationError
from chatnation.core.storage.errors import DatabaseUnavailable
from chatnation.core.storage.storage import Storage
from chatnation.core.storage.versions import Versions

pytestmark = pytest.mark.anyio

STRANGER = f"cn_write_{'x' * 32}"


class SetClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def project(storage: Storage, tenant_id: int) -> Project:
    async with storage.tenant(tenant_id) as connection:
        return await create_project(connection, tenant_id, "Website")


async def make(storage: Storage, project: Project, kind: KeyType = KeyType.WRITE, **options: object) -> NewKey:
    async with storage.tenant(project.tenant_id) as connection:
        return await create_key(
            connection,
            project.tenant_id,
            "Key",
            kind,
            project_id=project.id if kind.sends_events else None,
            **options,  # type: ignore[arg-type]
        )


@pytest.fixture
async def cache(storage: Storage, clock: SetClock) -> AsyncIterator[KeyCache]:
    """A cache of a process that polls every 20 ms."""
    versions = Versions(storage, every=0.02)
    cache = KeyCache(storage, clock)
    await cache.start(versions)
    polling = asyncio.create_task(versions.run())
    yield cache
    polling.cancel()
    await cache.stop()


async def until_unknown(cache: KeyCache, secret: str) -> None:
    async with asyncio.timeout(5):
        while cache.known(secret):
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("kind", KeyType)
async def test_a_key_says_what_it_opens_and_only_its_hash_is_stored(
    storage: Storage, project: Project, kind: KeyType
) -> None:
    key = await make(storage, project, kind)
    assert re.fullmatch(rf"cn_{kind}_[A-Za-z0-9]{{22,}}", key.secret)
    assert looks_like_key(key.secret)
    async with storage.tenant(project.tenant_id) as connection:
        row = (await connection.execute(text("SELECT * FROM api_keys"))).mappings().one()
    assert row["hash"] == hash_key(key.secret)
    assert key.secret not in str(dict(row))
    assert key.secret.startswith(row["prefix"])


async def test_a_key_that_sends_events_must_have_a_project_of_its_tenant(
    storage: Storage, project: Project, tenant_id: int
) -> None:
    with pytest.raises(ChatnationError, match="project"):
        async with storage.tenant(tenant_id) as connection:
            await create_key(connection, tenant_id, "Key", KeyType.WRITE)
    async with storage.system("another tenant") as connection:
        other = await connection.scalar(
            text("INSERT INTO tenants (slug, name, timezone) VALUES ('other', 'Other', 'UTC') RETURNING id")
        )
    assert other is not None
    with pytest.raises(IntegrityError):
        async with storage.tenant(other) as connection:
            await create_key(connection, other, "Key", KeyType.WRITE, project_id=project.id)


async def test_a_grant_tells_whose_key_it_is_and_how_events_are_treated(storage: Storage, project: Project) -> None:
    async with storage.tenant(project.tenant_id) as connection:
        await change_project(
            connection,
            project,
            allowed_origins=["https://tax.example.org"],
            ip_mode=IpMode.DROP_AFTER_GEO,
            masking={"pin": MaskingRule.HASH},
        )
    key = await make(storage, project)
    async with storage.system("find") as connection:
        grant = await find_grant(connection, key.secret)
    assert grant is not None
    assert (grant.tenant.slug, grant.project_id, grant.project) == ("kra", project.id, "website")
    assert grant.ip_mode is IpMode.DROP_AFTER_GEO
    assert grant.masking == {"pin": MaskingRule.HASH}
    assert grant.origins.allows("https://tax.example.org")
    assert not grant.origins.allows("https://evil.example.org")


async def test_the_origins_of_a_key_replace_those_of_its_project(storage: Storage, project: Project) -> None:
    key = await make(storage, project, allowed_origins=["https://Only.example.org/"])
    async with storage.system("find") as connection:
        grant = await find_grant(connection, key.secret)
    assert grant is not None
    assert grant.origins.allows("https://only.example.org")
    assert not grant.origins.allows("https://tax.example.org")


async def test_a_revoked_key_is_found_no_more_and_stays_in_the_list(storage: Storage, project: Project) -> None:
    key, other = await make(storage, project), await make(storage, project)
    async with storage.tenant(project.tenant_id) as connection:
        await revoke_key(connection, project.tenant_id, str(key.id))
        assert await find_grant(connection, key.secret) is None
        entries = {entry.id: entry for entry in await list_keys(connection, project.tenant_id)}
        with pytest.raises(Unknown):
            await revoke_key(connection, project.tenant_id, str(key.id))
    assert entries[key.id].revoked_at is not None
    assert entries[other.id].revoked_at is None


async def test_a_key_can_be_revoked_by_its_prefix_or_all_of_it_but_not_by_less(
    storage: Storage, project: Project
) -> None:
    first, second = await make(storage, project), await make(storage, project)
    async with storage.tenant(project.tenant_id) as connection:
        for name in ("cn_write_", "", "cn_", "999"):
            with pytest.raises(Unknown):
                await revoke_key(connection, project.tenant_id, name)
        assert (await revoke_key(connection, project.tenant_id, first.secret)).id == first.id
        assert (await revoke_key(connection, project.tenant_id, second.prefix)).id == second.id


async def test_keys_of_another_tenant_can_be_neither_listed_nor_revoked(storage: Storage, project: Project) -> None:
    key = await make(storage, project)
    async with storage.tenant(project.tenant_id + 1) as connection:
        assert await list_keys(connection, project.tenant_id + 1) == []
        with pytest.raises(Unknown):
            await revoke_key(connection, project.tenant_id + 1, key.secret)


async def test_a_cached_key_needs_no_database(storage: Storage, project: Project, cache: KeyCache) -> None:
    key = await make(storage, project)
    grant = await cache.find(key.secret)
    assert grant is not None
    assert cache.known(key.secret) == grant


async def test_a_new_key_is_known_at_once_and_a_stranger_is_not(
    storage: Storage, project: Project, cache: KeyCache
) -> None:
    assert await cache.find(STRANGER) is None
    assert await cache.find("nonsense") is None
    assert await cache.find((await make(storage, project)).secret) is not None


async def test_a_revoked_key_is_dropped_by_the_next_poll(storage: Storage, project: Project, cache: KeyCache) -> None:
    key, kept = await make(storage, project), await make(storage, project)
    assert await cache.find(key.secret)
    async with storage.tenant(project.tenant_id) as connection:
        await revoke_key(connection, project.tenant_id, key.secret)
    await until_unknown(cache, key.secret)
    assert await cache.find(key.secret) is None
    assert cache.known(kept.secret)


async def test_a_key_that_was_looked_up_while_it_was_revoked_does_not_stay(
    storage: Storage, project: Project, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chatnation.core.auth import key_cache

    cache = KeyCache(storage, clock)
    key = await make(storage, project)

    async def find_and_revoke(connection: object, secret: str) -> object:
        async with storage.tenant(project.tenant_id) as other:
            found = await find_grant(other, secret)
            await revoke_key(other, project.tenant_id, secret)
        await cache.refresh()
        return found

    monkeypatch.setattr(key_cache, "find_grant", find_and_revoke)
    await cache.find(key.secret)
    assert cache.known(key.secret) is None


async def test_a_change_of_the_project_reaches_the_cache(storage: Storage, project: Project, cache: KeyCache) -> None:
    key = await make(storage, project)
    await cache.find(key.secret)
    async with storage.tenant(project.tenant_id) as connection:
        await change_project(connection, project, ip_mode=IpMode.NEVER)
    async with asyncio.timeout(5):
        while (grant := cache.known(key.secret)) is None or grant.ip_mode is not IpMode.NEVER:
            await asyncio.sleep(0.005)


async def test_an_expired_key_is_refused_to_the_second(
    storage: Storage, project: Project, cache: KeyCache, clock: SetClock
) -> None:
    key = await make(storage, project, expires_at=clock.now() + timedelta(minutes=1))
    assert await cache.find(key.secret)
    clock.time += timedelta(seconds=59)
    assert cache.known(key.secret)
    clock.time += timedelta(seconds=1)
    assert cache.known(key.secret) is None
    assert await cache.find(key.secret) is None


async def test_known_keys_survive_the_database_and_unknown_ones_are_an_outage_then(
    storage: Storage, project: Project, clock: SetClock
) -> None:
    key = await make(storage, project)
    cache = KeyCache(storage, clock)
    await cache.refresh()
    cache._storage = Storage("postgresql://nobody@127.0.0.1:1/nothing")
    assert await cache.find(key.secret)
    with pytest.raises(DatabaseUnavailable):
        await cache.find(STRANGER)
    await cache.stop()


async def test_last_used_times_are_written_in_the_background_and_wake_nobody(
    storage: Storage, project: Project, cache: KeyCache, clock: SetClock
) -> None:
    key, unused = await make(storage, project), await make(storage, project)
    await cache.find(key.secret)
    async with storage.system("look") as connection:
        before = await connection.scalar(text("SELECT version FROM cache_versions WHERE name = 'ingestion'"))
    await cache.write_used()
    async with storage.tenant(project.tenant_id) as connection:
        entries = {entry.id: entry for entry in await list_keys(connection, project.tenant_id)}
        after = await connection.scalar(text("SELECT version FROM cache_versions WHERE name = 'ingestion'"))
    assert entries[key.id].last_used_at == clock.now()
    assert entries[unused.id].last_used_at is None
    assert before == after


async def test_an_older_last_used_time_never_replaces_a_newer_one(
    storage: Storage, project: Project, clock: SetClock
) -> None:
    key = await make(storage, project)
    ahead, behind = KeyCache(storage, clock), KeyCache(storage, clock)
    await behind.find(key.secret)
    clock.time += timedelta(seconds=5)
    await ahead.find(key.secret)
    await ahead.write_used()
    await behind.write_used()
    async with storage.tenant(project.tenant_id) as connection:
        (entry,) = await list_keys(connection, project.tenant_id)
    assert entry.last_used_at == clock.now()


async def test_a_read_key_may_read_and_a_write_key_is_nobody(
    storage: Storage, project: Project, cache: KeyCache
) -> None:
    actor = await recognise_key(cache, (await make(storage, project, KeyType.READ)).secret)
    assert actor is not None
    assert actor.permissions == READ_PERMISSIONS
    scoped = await recognise_key(cache, (await make(storage, project, KeyType.SERVER, scopes=["contacts.view"])).secret)
    assert scoped is not None
    assert scoped.permissions == {"contacts.view"}
    assert await recognise_key(cache, (await make(storage, project)).secret) is None
