"""The columnar copy says what the tables do, whatever happens to them and in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from chatnation.core.query.segments import building
from chatnation.core.query.segments.builder import CROWDED, SegmentBuilder
from chatnation.core.query.segments.chunk import Chunk
from chatnation.core.query.segments.rows import chunk_of
from chatnation.core.query.segments.spans import QUARTER, instant
from chatnation.core.query.segments.verifying import count_outdated, different_parts
from chatnation.core.storage.locks import lock_segments
from chatnation.core.storage.storage import raw
from chatnation.query import Analytics, Range, Series, Timeseries
from chatnation.testing.apps import MakeApp
from chatnation.testing.events import page_view, track
from tests.core.query.segment_world import EVER, NOW, VISITORS, World, open_world, random_event, whole_day

pytestmark = pytest.mark.anyio

YESTERDAY = NOW - timedelta(days=1)


async def assert_exact(world: World) -> None:
    """The copy of each source equals its rows, by reading and by recount."""
    for source in ("events", "sessions"):
        copy, rows = await world.copy(source), await world.chunk(source)
        assert copy.size == rows.size
        assert rows.size == 0 or different_parts(copy, rows) == set()
    assert await world.verify() == []


async def test_many_rows_are_read_by_halves_of_their_time(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await open_world(make_app)
    random = Random(9)
    await world.store([random_event(random) for _ in range(150)])
    await world.store([track("at once", {"number": number}, at=YESTERDAY) for number in range(9)])
    whole = await world.chunk()
    monkeypatch.setattr("chatnation.core.query.segments.stored.ROWS_AT_ONCE", 4)
    halves = await world.chunk()
    assert halves.size == whole.size == 159
    assert different_parts(halves, whole) == set()


async def test_records_make_the_same_chunk_as_columns(make_app: MakeApp) -> None:
    world = await open_world(make_app)
    random = Random(10)
    await world.store([random_event(random) for _ in range(200)])
    for name, source in world.sources.items():
        async with world.app.storage.snapshot(world.tenant_id) as connection:
            bounds = (instant(EVER.start), instant(EVER.end))
            rows = await (await raw(connection)).fetch(source.rows, world.tenant_id, *bounds)
        assert different_parts(chunk_of(rows), await world.chunk(name)) == set()


async def test_a_tenant_that_cannot_be_built_is_no_harm_to_others(make_app: MakeApp) -> None:
    world = await open_world(make_app)
    await world.store([page_view(at=YESTERDAY)])
    await world.build()
    other = await world.running.source()
    await world.running.ingest_and_drain([page_view(at=YESTERDAY)], other)
    await world.store([page_view(at=YESTERDAY)])
    await world.execute("UPDATE segment_columns SET data = '\\x01' WHERE tenant_id = :tenant")
    world.clock.move(timedelta(minutes=16))
    with pytest.raises(Exception, match="unpack"):
        await world.builder.run()
    assert await world.scalar("SELECT count(*) FROM segments WHERE tenant_id = :other", other=other.tenant.id) == 2


@pytest.mark.parametrize("seed", range(6))
async def test_the_copy_equals_the_rows_after_any_history(make_app: MakeApp, seed: int) -> None:
    random = Random(seed)
    world = await open_world(make_app)
    sent = []
    for _ in range(12):
        match random.randrange(8):
            case 0 | 1 | 2:
                batch = [random_event(random, world.clock.now()) for _ in range(random.randrange(1, 60))]
                sent += batch
                await world.store(batch)
            case 3:
                # The same ones again, and under a clock that is wrong by days.
                await world.store(random.sample(sent, len(sent) // 3))
                skewed = [random_event(random, world.clock.now()) for _ in range(5)]
                wrong = world.clock.now() + timedelta(days=random.choice((-3, 2)))
                await world.store(skewed, sent_at=wrong.isoformat())
            case 4:
                world.clock.move(timedelta(minutes=random.choice((3, 20, 700, 1500))))
            case 5:
                for source in world.sources.values():
                    day = whole_day(world.clock.now() - timedelta(days=random.randrange(3)))
                    await world.builder.rebuild_day(world.tenant_id, source, day)
            case _:
                await world.build()
        await assert_exact(world)
    world.clock.move(timedelta(days=2))
    await world.build()
    await assert_exact(world)
    assert await world.marks("events") == await world.marks("sessions") == 0
    assert all(span.is_day for span in [*await world.spans(), *await world.spans("sessions")])


async def test_a_quarter_of_an_hour_is_built_when_it_is_over(make_app: MakeApp) -> None:
    world = await open_world(make_app)
    await world.store([page_view(at=NOW), page_view(at=NOW - timedelta(minutes=15))])
    await world.build()
    (span,) = await world.spans()
    assert span.end - span.start == QUARTER
    assert await world.marks() == 1
    world.clock.move(timedelta(minutes=15))
    await world.build()
    assert len(await world.spans()) == 2
    assert await world.marks() == 0


async def test_a_day_is_put_together_when_most_of_what_is_late_has_come(make_app: MakeApp) -> None:
    world = await open_world(make_app, datetime(2025, 6, 15, 23, 50, tzinfo=UTC))
    day = whole_day(world.clock.now())
    await world.store([page_view(at=world.clock.now() - timedelta(hours=hour)) for hour in range(5)])
    await world.build()
    world.clock.move(timedelta(minutes=20))
    await world.build()
    assert len(await world.spans()) == 5
    world.clock.move(timedelta(minutes=21))
    await world.build()
    assert await world.spans() == [day]
    await assert_exact(world)


async def test_late_events_are_spliced_into_their_day_after_a_pause(make_app: MakeApp) -> None:
    world = await open_world(make_app)
    await world.store([page_view(at=YESTERDAY), track("paid", {"amount": 3}, at=YESTERDAY - timedelta(hours=3))])
    await world.build()
    await world.store([page_view(at=YESTERDAY), track("paid", {"other": "x"}, at=YESTERDAY - timedelta(hours=5))])
    await world.build()
    assert await world.marks() == 2
    await assert_exact(world)
    world.clock.move(timedelta(minutes=16))
    await world.build()
    assert await world.marks() == 0
    assert await world.spans() == [whole_day(YESTERDAY)]
    await assert_exact(world)


async def test_what_is_stored_while_a_segment_is_built_stays_marked(make_app: MakeApp) -> None:
    world = await open_world(make_app)
    await world.store([page_view(at=YESTERDAY)])
    events = world.sources["events"]
    async with world.builder._segments(world.tenant_id, events) as segments:
        assert len(await segments.marked(whole_day(YESTERDAY))) == 1
        await world.store([page_view(at=YESTERDAY)])
        await building.build_day(segments, whole_day(YESTERDAY), 0, whole=True, until=2**60)
    assert await world.marks() == 1
    assert await world.scalar("SELECT size FROM segments WHERE source = 'events'") == 1
    await assert_exact(world)
    await world.build()
    await assert_exact(world)
    assert await world.marks() == 0


async def test_a_transaction_that_is_still_storing_is_neither_seen_nor_forgotten(make_app: MakeApp) -> None:
    world = await open_world(make_app)
    await world.store([page_view(at=YESTERDAY)])
    (prepared,) = await world.pipeline.prepare(world.tenant_id, [world.delivery([page_view(at=YESTERDAY)])])
    async with world.app.storage.system("store slowly") as connection:
        await world.pipeline._write(connection, prepared)
        await world.build()
        assert await world.scalar("SELECT size FROM segments WHERE source = 'events'") == 1
    assert await world.marks() == 1
    await assert_exact(world)


async def test_a_builder_that_dies_leaves_everything_as_it_was(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await open_world(make_app)
    await world.store([page_view(at=YESTERDAY), page_view(at=YESTERDAY - timedelta(hours=1))])
    day, events = whole_day(YESTERDAY), world.sources["events"]
    with pytest.raises(KeyboardInterrupt):
        async with world.builder._segments(world.tenant_id, events) as segments:
            await building.build_day(segments, day, 0, whole=True, until=2**60)
            raise KeyboardInterrupt
    assert await world.spans() == []
    assert await world.marks() == 2
    await assert_exact(world)


async def test_two_builders_of_a_tenant_do_not_work_at_once(make_app: MakeApp) -> None:
    world = await open_world(make_app)
    await world.store([page_view(at=YESTERDAY)])
    async with world.app.storage.system("build") as connection:
        await lock_segments(await raw(connection), world.tenant_id)
        await world.build()
        assert await world.spans() == []
    await world.build()
    assert await world.spans() == [whole_day(YESTERDAY)]


async def test_many_marks_of_an_open_quarter_become_a_new_one(make_app: MakeApp) -> None:
    world = await open_world(make_app)
    for _ in range(CROWDED + 1):
        await world.store([page_view(at=NOW, visitor=VISITORS[0])])
    newest = await world.scalar("SELECT max(id) FROM segment_markers WHERE source = 'events'")
    await world.build()
    assert await world.marks() == 1
    assert await world.scalar("SELECT id FROM segment_markers WHERE source = 'events'") > newest


async def test_the_job_builds_for_every_tenant(make_app: MakeApp) -> None:
    world = await open_world(make_app)
    other = await world.running.source()
    await world.store([page_view(at=YESTERDAY)])
    await world.running.ingest_and_drain([page_view(at=YESTERDAY)], other)
    await SegmentBuilder.of(world.app).run()
    assert await world.scalar("SELECT count(DISTINCT tenant_id) FROM segments WHERE source = 'events'") == 2
    assert await world.scalar("SELECT count(*) FROM segment_markers") == 0


async def test_a_day_that_is_too_large_stays_in_quarters(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatnation.core.query.segments.builder.LARGEST_DAY", 2)
    world = await open_world(make_app)
    await world.store([page_view(at=YESTERDAY - timedelta(hours=hour)) for hour in range(3)])
    await world.build()
    assert len(await world.spans()) == 3
    await assert_exact(world)


async def test_properties_with_long_texts_are_left_out_and_told(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chatnation.core.query.segments.left_out import read_left_out

    monkeypatch.setattr("chatnation.core.query.segments.sizes.LARGE_COLUMN", 500)
    world = await open_world(make_app)
    bodies = [f"{number} " * 50 for number in range(6)]
    await world.store(
        [track("said", {"text": {"body": body}, "id": f"wamid.{body[:9]}"}, at=YESTERDAY) for body in bodies]
    )
    await world.build()
    assert await world.scalar("SELECT left_out FROM segments WHERE source = 'events'") == ["properties.text.body"]
    await assert_exact(world)
    rows = await world.chunk()
    async with world.app.storage.snapshot(world.tenant_id) as connection:
        column = await read_left_out(
            await raw(connection), world.tenant_id, world.sources["events"], whole_day(YESTERDAY), "text.body"
        )
    expected = rows.part("properties.text.body")
    assert [column.texts()[code] for code in column.codes] == [expected.texts()[code] for code in expected.codes]


OTHER_NAME = """
UPDATE segment_columns c SET data = other.data FROM segment_columns other
 WHERE c.name = 'event_name' AND other.name = 'event_type' AND c.segment_id = other.segment_id
"""


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (OTHER_NAME, "event_name differ"),
        ("UPDATE segment_columns SET data = '\\x01' WHERE name = 'event_name'", "it cannot be read"),
        ("DELETE FROM segment_columns WHERE name = 'page_path'", "page_path differ"),
        ("DELETE FROM segments WHERE source = 'events'", "1 rows are in no segment"),
        ("DELETE FROM events", "it has 1 rows instead of 0"),
    ],
)  # fmt: skip
async def test_a_recount_finds_what_is_wrong(make_app: MakeApp, damage: str, problem: str) -> None:
    world = await open_world(make_app)
    await world.store([page_view("/file", at=YESTERDAY)])
    await world.build()
    assert await world.verify() == []
    await world.execute(damage)
    found = await world.verify()
    assert [each.source for each in found] == ["events"]
    assert problem in found[0].problem
    await world.builder.rebuild_day(world.tenant_id, world.sources["events"], whole_day(YESTERDAY))
    assert await world.verify() == []


async def counted(world: World) -> tuple[float | None, ...]:
    """How many events and sessions there are, by a question of each."""
    since = Range(NOW - timedelta(days=30), NOW + timedelta(days=2))
    questions = [
        Timeseries(range=since, source=source, series=(Series("all"),), include_bots=True)
        for source in ("events", "sessions")
    ]
    answers = await world.app.services.get(Analytics).ask_all(world.tenant_id, questions)
    return tuple(answer.line("all").total for answer in answers)


async def test_segments_of_another_format_count_as_never_built(make_app: MakeApp) -> None:
    random = Random(11)
    world = await open_world(make_app)
    await world.store([random_event(random, world.clock.now()) for _ in range(80)])
    await world.store([page_view(at=NOW - timedelta(hours=hours)) for hours in (1, 2, 30)])
    await world.build()
    built = await world.spans()
    assert {span.is_day for span in built} == {True, False}
    # Every other one is of a format that nobody here can read, and of another build late events have come.
    await world.execute("UPDATE segments SET format = 2 WHERE tenant_id = :tenant AND id % 2 = 0")
    await world.execute(
        "UPDATE segment_columns SET data = '\\x07' FROM segments WHERE segments.id = segment_id AND format = 2"
    )
    await world.store([page_view(at=NOW - timedelta(hours=1)), random_event(random, world.clock.now())])
    outdated = await count_outdated(world.app.storage, world.tenant_id)
    assert outdated > 0
    assert await counted(world) == ((await world.chunk()).size, (await world.chunk("sessions")).size)
    await assert_exact(world)
    await world.build()
    assert await count_outdated(world.app.storage, world.tenant_id) == 0
    assert await world.spans() == built
    assert await counted(world) == ((await world.chunk()).size, (await world.chunk("sessions")).size)
    await assert_exact(world)


async def test_the_job_looks_for_tenants_with_segments_of_another_format(make_app: MakeApp) -> None:
    world = await open_world(make_app)
    await world.store([page_view(at=YESTERDAY)])
    await world.build()
    await world.execute("UPDATE segments SET format = 0 WHERE tenant_id = :tenant")
    await world.builder.run()
    assert await count_outdated(world.app.storage, world.tenant_id) == 0
    await assert_exact(world)


async def test_a_cut_of_a_chunk_that_is_put_together_again_is_the_chunk(make_app: MakeApp) -> None:
    world = await open_world(make_app)
    random = Random(5)
    await world.store([random_event(random) for _ in range(300)])
    chunk = await world.chunk()
    cuts = [0, *sorted(random.choices(chunk.time.tolist(), k=9)), 2**62]
    pieces = [chunk.cut(start, end) for start, end in pairwise(cuts)]
    again = Chunk.join([Chunk(piece.size, piece.encode()) for piece in pieces])
    assert different_parts(again, chunk) == set()
