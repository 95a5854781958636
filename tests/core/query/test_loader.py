"""Frames of the PostgreSQL engine are what a naive reader finds in the tables, whatever state the segments are in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

import pytest
from sqlalchemy import select

from chatnation.core.query.fields import Field
from chatnation.core.query.frame import Frame, Need
from chatnation.core.query.instants import micros
from chatnation.core.query.model import Source
from chatnation.core.query.segments.builder import SegmentBuilder
from chatnation.core.query.segments.loader import Engine, SegmentLoader
from chatnation.core.storage.models.segments import segments
from chatnation.testing.apps import MakeApp
from tests.core.query.stored import BEGINNING, FIELDS, NAMES, SESSION_FIELDS, History, PlainRow, start_history

pytestmark = pytest.mark.anyio

ACTORS = ("person", "session", "event_name", "properties.x", "user_id", "person.county")
SESSION_ACTORS = ("person", "session", "user_id", "channel_type")


@pytest.mark.parametrize(("seed", "kept"), [(0, 256_000_000), (1, 256_000_000), (2, 256_000_000), (3, 30_000), (4, 0)])
async def test_a_frame_is_what_the_tables_say(make_app: MakeApp, seed: int, kept: int) -> None:
    random = Random(seed)
    history = await start_history(make_app, random, query_columns_bytes=kept)
    engine = Engine.of(history.app)
    for _ in range(12):
        for _ in range(random.randrange(1, 6)):
            await history.step()
        await history.build_sometimes()
        await check_a_load(history, engine, "events")
        await check_a_load(history, engine, "sessions")


async def check_a_load(history: History, engine: Engine, source: Source) -> None:
    """Load something, and compare it with the tables."""
    random = history.random
    start, end = random_stretch(history)
    names = random.sample(NAMES, random.choice((0, 0, 1, 2))) if source == "events" else []
    fields = FIELDS if source == "events" else SESSION_FIELDS
    need = Need(
        frozenset(Field.parse(each, source) for each in random.sample(fields, random.choice((0, 2, len(fields))))),
        frozenset(Field.parse(each, source) for each in random.sample(fields, random.choice((0, 2, len(fields))))),
        frozenset(random.sample(ACTORS if source == "events" else SESSION_ACTORS, random.randrange(4))),
    )
    async with SegmentLoader.open(engine, history.tenant_id, source) as loader:
        frame = await loader.load(start, end, need, names)
    rows = await (history.events() if source == "events" else history.sessions())
    compare(frame, need, [row for row in rows if is_wanted(row, start, end, names)])


def random_stretch(history: History) -> tuple[datetime | None, datetime | None]:
    instants = history.instants
    start, end = sorted(history.random.sample(instants, 2))
    return history.random.choice((None, start, instants[0])), history.random.choice((None, end, end, max(instants)))


def is_wanted(row: PlainRow, start: datetime | None, end: datetime | None, names: Sequence[str]) -> bool:
    return (
        (start is None or row.time >= start)
        and (end is None or row.time < end)
        and (not names or row.columns["event_name"] in names)
    )


def compare(frame: Frame, need: Need, rows: Sequence[PlainRow]) -> None:
    """A frame has exactly these rows."""
    assert frame.time.tolist() == [micros(row.time) for row in rows]
    for field in need.columns:
        column = frame.column(field)
        assert len(set(column.values)) == len(column.values)
        found = [None if code < 0 else column.values[code] for code in column.codes.tolist()]
        assert found == [row.text(str(field)) for row in rows], field
    for field in need.numbers:
        numbers = frame.numbers(field)
        found = [
            math.nan if bad else None if math.isnan(value) else value
            for value, bad in zip(numbers.values.tolist(), numbers.unusable.tolist(), strict=True)
        ]
        assert list(map(repr, found)) == [repr(row.number(str(field))) for row in rows], field
    for actor in need.actors:
        actors = frame.actors(actor)
        labels = [None if code < 0 else actors.names.label(code) for code in actors.codes.tolist()]
        assert labels == [row.actor(actor) for row in rows], actor
        assert actors.codes.max(initial=-1) < len(actors.names)
        if actor == "person":
            persons = [None if code < 0 else actors.names.person(code) for code in actors.codes.tolist()]
            assert persons == [row.columns["person_id"] for row in rows]


async def test_a_property_too_large_for_segments_is_read_from_the_rows(make_app: MakeApp) -> None:
    history = await start_history(make_app, Random(5))
    for number in range(40):
        text = f"{number} " * 5_000
        moment = BEGINNING + timedelta(minutes=number)
        await history.store_one("rating", {"x": {"y": text}, "kind": number}, at=moment)
    await SegmentBuilder.of(history.app).build(history.tenant_id)
    async with history.app.storage.tenant(history.tenant_id) as connection:
        left_out = await connection.scalar(select(segments.c.left_out).where(segments.c.source == "events"))
    assert left_out == ["properties.x.y"]
    engine = Engine.of(history.app)
    need = Need(frozenset(Field.parse(each) for each in ("properties.x.y", "properties.kind", "event_name")))
    for late in (None, BEGINNING + timedelta(minutes=20, seconds=1)):
        if late is not None:
            await history.store_one("rating", {"x": {"y": "late"}}, at=late)
        rows = await history.events()
        for start in (None, BEGINNING + timedelta(minutes=2), BEGINNING + timedelta(minutes=21)):
            async with SegmentLoader.open(engine, history.tenant_id, "events") as loader:
                compare(
                    await loader.load(start, None, need), need, [row for row in rows if not start or row.time >= start]
                )


async def test_a_field_that_was_not_asked_for_cannot_be_read(make_app: MakeApp) -> None:
    history = await start_history(make_app, Random(6))
    await history.send()
    async with SegmentLoader.open(Engine.of(history.app), history.tenant_id, "events") as loader:
        frame = await loader.load(None, None, Need())
    with pytest.raises(KeyError):
        frame.column(Field.parse("event_name"))
    with pytest.raises(KeyError):
        frame.actors("person")


async def test_what_one_question_loads_is_of_one_moment(make_app: MakeApp) -> None:
    history = await start_history(make_app, Random(7))
    await history.send()
    need = Need(frozenset({Field.parse("event_name")}), actors=frozenset({"person", "session"}))
    rows = await history.events()
    async with SegmentLoader.open(Engine.of(history.app), history.tenant_id, "events") as loader:
        compare(await loader.load(None, None, need), need, rows)
        for _ in range(6):
            await history.step()
        await history.build()
        compare(await loader.load(None, None, need), need, rows)
    assert len(await history.events()) > len(rows)
