"""What fails takes down no more than it must."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.ingestion.event import EventBatch
from chatnation.core.plugin.base import Plugin, hookimpl
from chatnation.core.processing.circuit import FAILURES_IN_A_ROW, OPEN_SECONDS, Circuit
from chatnation.core.processing.isolation import SUSPICIOUS, Suspicious
from chatnation.core.processing.projecting import Projections
from chatnation.core.processing.projection import Projection
from chatnation.core.processing.retrying import Retries
from chatnation.core.processing.stage import Stage
from chatnation.core.processing.stages import StageRefused
from chatnation.core.storage import tenant_role
from chatnation.testing.events import Wire, page_view, track

if TYPE_CHECKING:
    from tests.core.processing.conftest import Intake, MakeIntake

POISON = {"note": "jsonb cannot hold \x00"}


async def reasons(intake: Intake) -> list[str]:
    return [letter.reason for letter in await intake.dead_letters.list(intake.tenant_id)]


async def names(intake: Intake) -> set[str]:
    return {name for (name,) in await intake.rows("SELECT event_name FROM events WHERE tenant_id = :tenant")}


# --- poison ----------------------------------------------------------------------------------------


async def test_a_poisoned_event_goes_to_the_dead_letters_and_all_others_are_stored(intake: Intake) -> None:
    good = [intake.delivery(*(page_view() for _ in range(10))) for _ in range(5)]
    mixed = intake.delivery(*(page_view() for _ in range(4)), track("bad", POISON), *(page_view() for _ in range(5)))
    await intake.publish(*good[:3], mixed, *good[3:])
    await intake.processor().drain()
    assert await intake.stored() == 59
    assert await intake.ledger() == {"stored": 59, "dead": 1}
    assert await intake.waiting() == 0
    (letter,) = await intake.dead_letters.list(intake.tenant_id)
    assert [event["event_name"] for event in letter.body["batch"]] == ["bad"]
    assert "UntranslatableCharacter" in letter.reason


async def test_a_poisoned_event_without_an_id_is_not_taken_for_its_neighbour_when_it_is_replayed(
    intake: Intake,
) -> None:
    events = [{**track(name), "event_id": None} for name in ("first", "bad", "last")]
    events[1]["properties"] = POISON
    await intake.publish(intake.delivery(*events))
    await intake.processor().drain()
    assert await names(intake) == {"first", "last"}
    (letter,) = await intake.dead_letters.list(intake.tenant_id)
    mended = letter.delivery.body.replace(b"\\u0000", b"")
    await intake.pipeline.run(intake.tenant_id, [msgspec.structs.replace(letter.delivery, body=mended, replays=1)])
    assert await names(intake) == {"first", "bad", "last"}


async def test_a_delivery_that_cannot_be_read_is_buried_whole(intake: Intake) -> None:
    await intake.publish(intake.delivery(page_view(), page_view(), body=b"{nonsense"), intake.delivery(page_view()))
    await intake.processor().drain()
    assert await intake.ledger() == {"stored": 1, "dead": 2}
    assert len(await reasons(intake)) == 1


async def test_many_poisoned_events_are_each_buried(intake: Intake) -> None:
    await intake.publish(intake.delivery(*(track(f"bad {number}", POISON) for number in range(30))))
    await intake.processor().drain()
    assert (await intake.ledger(), len(await reasons(intake))) == ({"dead": 30}, 30)


async def test_a_replayed_letter_that_is_still_poisoned_is_buried_again(intake: Intake) -> None:
    await intake.publish(intake.delivery(page_view(), track("bad", POISON)))
    await intake.processor().drain()
    for _ in range(2):
        await intake.dead_letters.replay(intake.tenant_id)
        await intake.processor().drain()
        assert len(await reasons(intake)) == 1
    assert await intake.ledger() == {"stored": 1, "dead": 1}


async def test_when_nothing_can_be_stored_and_no_event_is_to_blame_nothing_is_buried_at_first(
    intake: Intake,
) -> None:
    """A fault of ours must not fill the dead letters with everybody's events."""
    async with intake.app.storage.system("break the pipeline for a test") as connection:
        await connection.execute(
            text(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'P0001'; END $$"
            )
        )
        await connection.execute(
            text("CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()")
        )
    deliveries = [intake.delivery(page_view()) for _ in range(SUSPICIOUS)]
    isolation = intake.processor()._isolation
    with pytest.raises(Suspicious):
        await isolation.run(intake.tenant_id, deliveries, ValueError("first"), patient=True)
    assert await reasons(intake) == []
    await isolation.run(intake.tenant_id, deliveries, ValueError("first"), patient=False)
    assert len(await reasons(intake)) == SUSPICIOUS


# --- stages ----------------------------------------------------------------------------------------


class Fragile:
    """A stage or projection that fails when its `fails` says so."""

    def __init__(self) -> None:
        self.fails: Callable[[EventBatch], bool] = lambda batch: True
        self.calls = 0

    async def __call__(self, *arguments: Any) -> None:
        self.calls += 1
        batch: EventBatch = arguments[-1]
        if self.fails(batch):
            raise RuntimeError("fragile")
        for event in batch:
            event.city = "Enriched"


def a_plugin(stages: Iterable[Stage] = (), projections: Iterable[Projection] = ()) -> type[Plugin]:
    class Given(Plugin):
        """A plugin with what a test gives it."""

        name: ClassVar[str] = "given"

        @hookimpl
        def register_stages(self) -> Iterable[Stage]:
            return stages

        @hookimpl
        def register_projections(self) -> Iterable[Projection]:
            return projections

    return Given


async def test_a_stage_that_fails_is_skipped_and_left_out_after_five_failures(make_intake: MakeIntake) -> None:
    fragile = Fragile()
    intake = await make_intake(a_plugin(stages=[Stage("fragile", fragile)]))
    for _ in range(FAILURES_IN_A_ROW + 3):
        await intake.send(page_view())
    assert await intake.stored() == FAILURES_IN_A_ROW + 3
    assert fragile.calls == FAILURES_IN_A_ROW
    assert intake.app.boundary.failures["given", "stage:fragile"] == FAILURES_IN_A_ROW


async def test_a_privacy_stage_that_fails_for_one_event_sends_only_that_to_the_dead_letters(
    make_intake: MakeIntake,
) -> None:
    fragile = Fragile()
    fragile.fails = lambda batch: any(event.event_name == "secret" for event in batch)
    intake = await make_intake(a_plugin(stages=[Stage("mask", fragile, privacy=True)]))
    await intake.publish(intake.delivery(page_view(), track("secret"), page_view()), intake.delivery(page_view()))
    await intake.processor().drain()
    assert await names(intake) == {"page_view"}
    assert await intake.ledger() == {"stored": 3, "dead": 1}


async def test_a_privacy_stage_that_always_fails_stops_everything_and_loses_nothing(make_intake: MakeIntake) -> None:
    fragile = Fragile()
    intake = await make_intake(a_plugin(stages=[Stage("mask", fragile, privacy=True)]))
    await intake.publish(intake.delivery(page_view(), page_view()))
    processor = intake.processor()
    running = asyncio.create_task(processor.run())
    async with asyncio.timeout(20):
        while not (processor.troubled and fragile.calls >= FAILURES_IN_A_ROW):
            await asyncio.sleep(0.01)
    processor.stop()
    await running
    assert (await intake.stored(), await intake.waiting(), await reasons(intake)) == (0, 2, [])
    with pytest.raises(StageRefused):
        await intake.send(page_view())


def test_a_circuit_opens_after_five_failures_in_a_row_and_lets_one_try_later() -> None:
    time = [0.0]
    circuit = Circuit(lambda: time[0])
    for _ in range(FAILURES_IN_A_ROW - 1):
        circuit.failed()
    circuit.succeeded()
    assert not circuit.is_open
    for _ in range(FAILURES_IN_A_ROW):
        assert not circuit.is_open
        circuit.failed()
    assert circuit.is_open
    time[0] += OPEN_SECONDS
    assert not circuit.is_open
    circuit.failed()
    assert circuit.is_open
    time[0] += OPEN_SECONDS
    circuit.succeeded()
    assert not circuit.is_open


async def test_stages_of_a_plugin_that_a_tenant_switched_off_do_not_run(make_intake: MakeIntake) -> None:
    fragile = Fragile()
    fragile.fails = lambda batch: False
    intake = await make_intake(a_plugin(stages=[Stage("enrich", fragile)]))
    await intake.send(page_view())
    await intake.app.switches.switch(intake.tenant_id, "given", enabled=False)
    await intake.send(page_view())
    assert fragile.calls == 1


# --- projections -----------------------------------------------------------------------------------


class Counting:
    """A projection that counts events by name in a table, and fails when it is told to."""

    def __init__(self) -> None:
        self.broken = False
        self.seen: list[str] = []
        self.campaigns: list[object] = []

    async def __call__(self, connection: AsyncConnection, batch: EventBatch) -> None:
        for event in batch:
            await connection.execute(
                text("INSERT INTO counted (name, tenant_id) VALUES (:name, :tenant)"),
                {"name": event.event_name, "tenant": batch.tenant_id},
            )
        if self.broken:
            raise RuntimeError("broken")
        self.seen += [event.event_name for event in batch]
        self.campaigns += [event.campaign for event in batch]


@pytest.fixture
async def counting(make_intake: MakeIntake) -> tuple[Intake, Counting]:
    """An intake with a counting projection, and one beside it that works."""
    projection = Counting()

    async def works(connection: AsyncConnection, batch: EventBatch) -> None:
        await connection.execute(text("INSERT INTO worked SELECT"))

    intake = await make_intake(
        a_plugin(projections=[Projection("count_names", projection), Projection("works", works)])
    )
    async with intake.app.storage.system("tables for a test") as connection:
        await connection.execute(text("CREATE TABLE counted (name text, tenant_id int)"))
        await connection.execute(text("CREATE TABLE worked ()"))
        role = await tenant_role.look_up(connection)
        await connection.execute(text(f"GRANT INSERT ON counted, worked TO {role.quoted}"))
    return intake, projection


def retries(intake: Intake) -> Retries:
    app = intake.app
    return Retries(app.storage, Projections(app.resources.projections, app.boundary, app.metrics), app.enabled)


async def make_due(intake: Intake) -> None:
    async with intake.app.storage.tenant(intake.tenant_id) as connection:
        await connection.execute(text("UPDATE projection_failures SET next_attempt_at = now() - interval '1 second'"))


async def test_a_projection_sees_new_events_only(counting: tuple[Intake, Counting], received: datetime) -> None:
    intake, projection = counting
    event = track("once", at=received)
    for minutes in range(3):
        await intake.store(intake.delivery(event, received=received + timedelta(minutes=minutes)))
    await intake.store(intake.delivery(event, track("twice")))
    assert projection.seen == ["once", "twice"]


async def test_a_projection_that_fails_takes_down_neither_the_events_nor_its_neighbour(
    counting: tuple[Intake, Counting],
) -> None:
    intake, projection = counting
    projection.broken = True
    await intake.send(page_view(), page_view())
    assert await intake.stored() == 2
    assert await intake.value("SELECT count(*) FROM counted") == 0
    assert await intake.value("SELECT count(*) FROM worked") == 1
    assert await intake.rows("SELECT plugin, projection, attempts, error FROM projection_failures") == [
        ("given", "count_names", 1, "RuntimeError: broken")
    ]


async def test_a_failed_projection_catches_up_with_the_same_events(
    counting: tuple[Intake, Counting], received: datetime
) -> None:
    intake, projection = counting
    projection.broken = True
    campaign: dict[str, Any] = {"campaign": {"source": "radio"}}
    skewed: list[Wire] = [track("skewed", at=received + timedelta(days=3))]
    await intake.store(intake.delivery(track("plain", {"n": 1}, context=campaign, at=received), received=received))
    await intake.store(intake.delivery(*skewed, received=received, sent=received + timedelta(days=3)))
    assert await retries(intake).run_due() == 0, "too early"
    await make_due(intake)
    assert await retries(intake).run_due() == 0, "still broken"
    assert {row[0] for row in await intake.rows("SELECT attempts FROM projection_failures")} == {2}
    projection.broken = False
    await make_due(intake)
    assert await retries(intake).run_due() == 2
    assert sorted(projection.seen) == ["plain", "skewed"]
    assert {"source": "radio"} in projection.campaigns
    assert await intake.value("SELECT count(*) FROM projection_failures") == 0
    assert await intake.value("SELECT count(*) FROM counted") == 2


async def test_events_of_a_retried_batch_are_as_they_were(counting: tuple[Intake, Counting]) -> None:
    intake, _ = counting
    from chatnation.core.processing.event_rows import read_events
    from chatnation.core.storage.storage import raw

    stored = await intake.send(
        page_view("/a", user="A1", referrer="https://x.org/", properties={"a": [1, {"b": None}]}, sequence=4)
    )
    (event,) = stored.events
    async with intake.app.storage.tenant(intake.tenant_id) as connection:
        (again,) = await read_events(await raw(connection), intake.tenant_id, [(event.timestamp, event.message_id)])
    differing = {
        name: (before, after)
        for name in event.__struct_fields__
        if (before := getattr(event, name)) != (after := getattr(again, name))
    }
    assert differing.keys() <= {"properties", "geo_ip", "delivery"}
    assert msgspec.json.decode(event.properties) == msgspec.json.decode(again.properties)


async def test_failures_of_a_plugin_that_is_off_wait(counting: tuple[Intake, Counting]) -> None:
    intake, projection = counting
    projection.broken = True
    await intake.send(page_view())
    projection.broken = False
    await intake.app.switches.switch(intake.tenant_id, "given", enabled=False)
    await make_due(intake)
    assert await retries(intake).run_due() == 0
    await intake.app.switches.switch(intake.tenant_id, "given", enabled=True)
    await make_due(intake)
    assert await retries(intake).run_due() == 1


async def test_two_workers_that_retry_at_once_project_once(counting: tuple[Intake, Counting]) -> None:
    intake, projection = counting
    projection.broken = True
    for _ in range(5):
        await intake.send(page_view())
    projection.broken = False
    await make_due(intake)
    assert sum(await asyncio.gather(*(retries(intake).run_due() for _ in range(3)))) == 5
    assert await intake.value("SELECT count(*) FROM counted") == 5
