"""What could not be stored is kept, replayed and dropped."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from chatnation import DeadLetters, Delivery, IngestLedger, uuid7
from chatnation.testing import track
from chatnation.testing.apps import RunningApp
from tests.core.ingestion.conftest import Desk, place_desk

RECEIVED_MS = int(datetime.now(UTC).timestamp() * 1000)


def letter(desk: Desk, event: Any = None, **fields: Any) -> Delivery:
    body = json.dumps({"batch": [event or track("a")]}).encode()
    source = desk.source
    return Delivery(uuid7().bytes, source.tenant.id, source.project.id, RECEIVED_MS, 1, body, **fields)


@pytest.fixture
async def desk(shared_app: RunningApp) -> Desk:
    return await place_desk(shared_app)


@pytest.fixture
def letters(shared_app: RunningApp) -> DeadLetters:
    return shared_app.app.services.get(DeadLetters)


async def dead(desk: Desk) -> int:
    """Dead events in the ledger."""
    now = datetime.now(UTC)
    found = await desk.app.app.services.get(IngestLedger).balances(
        desk.source.tenant.id, now - timedelta(hours=1), now + timedelta(hours=1)
    )
    return sum(balance.dead for balance in found)


async def test_a_letter_is_kept_once_with_its_reason(desk: Desk, letters: DeadLetters) -> None:
    delivery = letter(desk)

    await letters.bury(delivery, "the reason")
    await letters.bury(delivery, "the reason again")

    (found,) = await letters.list(desk.source.tenant.id)
    assert (found.reason, found.delivery, found.events) == ("the reason", delivery, 1)
    assert found.body == json.loads(delivery.body)
    assert await letters.get(desk.source.tenant.id, found.id) == found


async def test_letters_are_the_tenant_s_own(desk: Desk, letters: DeadLetters, shared_app: RunningApp) -> None:
    await letters.bury(letter(desk), "mine")
    (found,) = await letters.list(desk.source.tenant.id)
    stranger = (await shared_app.source()).tenant.id

    assert await letters.list(stranger) == []
    assert await letters.get(stranger, found.id) is None
    assert await letters.replay(stranger, [found.id]) == 0
    assert await letters.drop(stranger) == 0
    assert len(await letters.list(desk.source.tenant.id)) == 1


async def test_a_body_that_is_no_json_can_be_shown(desk: Desk, letters: DeadLetters) -> None:
    broken = Delivery(uuid7().bytes, desk.source.tenant.id, desk.source.project.id, RECEIVED_MS, 1, b"\xff{")

    await letters.bury(broken, "unreadable\0")

    (found,) = await letters.list(desk.source.tenant.id)
    assert (found.body, found.reason) == ("�{", "unreadable")


async def test_pages_of_letters_go_back_in_time(desk: Desk, letters: DeadLetters) -> None:
    for number in range(5):
        await letters.bury(letter(desk), str(number))

    first = await letters.list(desk.source.tenant.id, limit=3)
    second = await letters.list(desk.source.tenant.id, limit=3, before=first[-1].id)

    assert [found.reason for found in first + second] == ["4", "3", "2", "1", "0"]


async def test_a_replayed_letter_is_stored_once_and_no_longer_dead(
    desk: Desk, letters: DeadLetters, shared_app: RunningApp
) -> None:
    event = track("risen")
    delivery = letter(desk, event)
    await letters.bury(delivery, "a table was missing")
    (kept,) = await letters.list(desk.source.tenant.id)

    assert await letters.replay(desk.source.tenant.id) == 1
    await letters.bury(delivery, "a table was missing")
    assert await letters.replay(desk.source.tenant.id) == 1, "as if the first replay had died before it deleted"
    await shared_app.drain()

    assert kept.id
    assert await letters.list(desk.source.tenant.id) == []
    async with shared_app.app.storage.tenant(desk.source.tenant.id) as connection:
        stored = await connection.scalar(
            text("SELECT count(*) FROM events WHERE event_name = 'risen' AND tenant_id = :t"),
            {"t": desk.source.tenant.id},
        )
    assert stored == 1


async def test_a_letter_that_dies_again_counts_its_replays(desk: Desk, letters: DeadLetters) -> None:
    await letters.bury(letter(desk), "first")
    await letters.replay(desk.source.tenant.id)
    (again,) = await desk.deliveries()

    await letters.bury(again, "second")

    (found,) = await letters.list(desk.source.tenant.id)
    assert (found.replays, found.reason) == (1, "second")


async def test_dropped_letters_are_gone_and_counted_as_rejected(desk: Desk, letters: DeadLetters) -> None:
    await letters.bury(letter(desk), "one")
    await letters.bury(letter(desk), "two")
    (newest, oldest) = await letters.list(desk.source.tenant.id)

    assert await letters.drop(desk.source.tenant.id, [newest.id]) == 1
    assert [found.id for found in await letters.list(desk.source.tenant.id)] == [oldest.id]
    assert await letters.drop(desk.source.tenant.id) == 1

    assert await dead(desk) == -2, "whoever buries counts; nobody did here"


async def test_letters_of_an_erased_tenant_are_not_kept(desk: Desk, letters: DeadLetters) -> None:
    orphan = Delivery(uuid7().bytes, 2_000_000, 1, RECEIVED_MS, 1, b"{}")

    await letters.bury(orphan, "nobody's")

    assert await letters.list(2_000_000) == []


async def test_the_command_lists_shows_replays_and_drops(
    desk: Desk, letters: DeadLetters, shared_app: RunningApp
) -> None:
    tenant = desk.source.tenant
    for reason in ("first", "second", "third"):
        await letters.bury(letter(desk, track(reason)), reason)

    listed = json.loads(await command(shared_app, "list", "--tenant", tenant.slug, "--json"))
    assert [entry["reason"] for entry in listed] == ["third", "second", "first"]
    assert "second" in await command(shared_app, "list", "--tenant", tenant.slug)
    first = str(listed[-1]["id"])
    shown = json.loads(await command(shared_app, "show", first, "--json"))
    assert shown["body"]["batch"][0]["event_name"] == "first"
    assert json.loads(await command(shared_app, "replay", first, "--json")) == {"events": 1}
    assert "2 events were dropped" in await command(shared_app, "drop", "--all", "--tenant", tenant.slug, "--yes")
    assert await letters.list(tenant.id) == []
    assert [event.event_name for event in await desk.events()] == ["first"]


async def command(app: RunningApp, *arguments: str) -> str:
    """What `chatnation deadletters …` prints."""
    settings = app.app.settings
    assert settings.secret_key is not None
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "chatnation.core.cli",
        "deadletters",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "CHATNATION_DATABASE_URL": str(settings.database_url),
            "CHATNATION_REDIS_URL": str(settings.redis_url),
            "CHATNATION_SECRET_KEY": settings.secret_key.get_secret_value(),
            "CHATNATION_ENCRYPTION_KEYS": "01" * 32,
        },
    )
    printed, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    return printed.decode()
