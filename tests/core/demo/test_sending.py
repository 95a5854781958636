"""The made-up month on its way into a running instance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain

import httpx
import pytest
from sqlalchemy import select

from chatnation.core.auth.keys import list_keys
from chatnation.core.demo.access import PROJECT, DemoAccess, demo_access
from chatnation.core.demo.facts import Fact
from chatnation.core.demo.generator import TaxAuthority
from chatnation.core.demo.sender import NotDelivered, Sender
from chatnation.core.errors import ChatnationError
from chatnation.core.storage.models import projects
from chatnation.testing.apps import MakeApp

NOW = datetime.now(UTC)


def facts() -> list[Fact]:
    return list(chain.from_iterable(TaxAuthority(visits_per_day=40).between(NOW - timedelta(days=3), NOW)))


async def test_every_event_passes_the_collector(make_app: MakeApp) -> None:
    running = await make_app()
    source = await running.source()
    client = await running.network_client()
    told = facts()
    async with demo_access(running.app.storage, source.tenant.slug) as access:
        sender = Sender(client, str(client.base_url), access.write_key)
        counted: list[int] = []
        await sender.send_all(told, counted.append)
    assert sender.first_rejection is None
    assert sender.accepted == len(told) == sum(counted)


async def test_the_demo_has_a_project_of_its_own_and_a_key_only_while_it_runs(make_app: MakeApp) -> None:
    running = await make_app()
    source = await running.source()
    storage = running.app.storage

    async def valid_keys() -> list[str | None]:
        async with storage.tenant(source.tenant.id) as connection:
            keys = await list_keys(connection, source.tenant.id)
        return [key.project for key in keys if key.revoked_at is None]

    before = await valid_keys()
    for _ in range(2):
        async with demo_access(storage, source.tenant.slug) as access:
            assert access.last_event_at is None
            assert sorted(await valid_keys(), key=str) == sorted([*before, PROJECT], key=str)
    assert await valid_keys() == before
    async with storage.tenant(source.tenant.id) as connection:
        slugs = (await connection.execute(select(projects.c.slug))).scalars().all()
    assert slugs.count(PROJECT) == 1


def test_a_demo_goes_on_where_it_ended_unless_it_was_cut_short() -> None:
    start, newest = NOW - timedelta(days=30), NOW - timedelta(hours=3)
    assert DemoAccess("key", None, None).resume(start) == start
    assert DemoAccess("key", start + timedelta(minutes=2), newest).resume(start) == newest
    assert DemoAccess("key", start - timedelta(days=9), newest).resume(start) == newest
    assert DemoAccess("key", start + timedelta(days=11), newest).resume(start) == start


async def test_an_instance_that_never_started_is_told_so(make_app: MakeApp) -> None:
    running = await make_app()
    with pytest.raises(ChatnationError, match="chatnation serve"):
        async with demo_access(running.app.storage):
            pass


async def test_a_wrong_key_ends_the_demo_with_the_collectors_answer(make_app: MakeApp) -> None:
    running = await make_app()
    client = await running.network_client()
    sender = Sender(client, str(client.base_url), "cn_server_" + "x" * 32)
    with pytest.raises(NotDelivered, match="401"):
        await sender.send_all(facts()[:10], lambda _: None)


async def test_an_address_where_nobody_answers_is_named() -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(NotDelivered, match="v1/capture cannot be reached"):
            await Sender(client, "http://127.0.0.1:1", "key", attempts=1).send(facts()[:1])
