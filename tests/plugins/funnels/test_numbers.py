"""Every number that is told of a funnel equals a recount of what was sent, one event after the other."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from random import Random
from statistics import median
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from chatnation.plugins.funnels.address import parameters_of
from chatnation.plugins.funnels.definition import Definition
from chatnation.query import Exclusion, Filter, Funnel, Range, Selection, Step
from chatnation.testing.apps import MakeApp
from tests.core.query.funnel_oracle import Chain, counted_chains, trend
from tests.core.query.histories import PlainEvent
from tests.plugins.funnels.conftest import NAMES, NOW, Office, open_office, random_visits

ZONES = ("Africa/Nairobi", "Europe/Berlin")
FIRST, LAST = date(2025, 3, 24), date(2025, 4, 1)


def random_definition(random: Random) -> Definition:
    """Any funnel that there can be over these events."""
    order = random.choice(("ordered", "ordered", "strict", "any"))
    names = [random.choice(NAMES) for _ in range(random.randrange(2, 6))]
    steps = [
        Step(
            f"{place} {name}",
            Selection((name,), random.choice(((), (), (Filter("properties.kind", "is", ("mri",)),)))),
            random.choice((None, None, 7200.0)) if order != "any" and place else None,
            optional=order != "any" and place > 0 and random.random() < 0.2,
        )
        for place, name in enumerate(names)
    ]
    backbone = [place for place, step in enumerate(steps) if not step.optional]
    excluded = order != "any" and len(backbone) > 1 and random.random() < 0.3
    return Definition(
        steps=tuple(steps),
        order=order,
        window=random.choice((3600, 86_400, 3 * 86_400)),
        entry=random.choice(("best", "first", "totals")),
        journey_flags=random.random() < 0.2,
        anchor_first=random.random() < 0.7,
        anchor_last=random.random() < 0.3,
        exclusions=(Exclusion(Selection(("help",)), random.choice(backbone[:-1])),) if excluded else (),
        constant=random.choice(((), (), ("properties.kind",))),
        by=random.choice((None, "properties.kind")),
        attribution=random.choice(("first", "last", "any")),
        include_bots=random.random() < 0.2,
    )


def stretch(zone: str) -> Range:
    place = ZoneInfo(zone)
    end = datetime.combine(LAST + timedelta(days=1), time(), place)
    return Range(datetime.combine(FIRST, time(), place), end, zone)


def body(definition: Definition) -> dict[str, Any]:
    """The funnel as the API takes it."""
    given = definition.model_dump(mode="json")
    given["steps"] = [
        {
            "name": step.name,
            "event_name": list(step.select.events),
            "filters": [{"field": one.field, "values": list(one.values)} for one in step.select.filters],
            "within": step.within,
            "optional": step.optional,
        }
        for step in definition.steps
    ]
    return {**given, "start_date": str(FIRST), "end_date": str(LAST)}


def came_to(chains: list[Chain], definition: Definition, step: int) -> int:
    return sum(chain.at(step) is not None for chain in chains)


def compare(told: dict[str, Any], chains: list[Chain], definition: Definition) -> None:
    last = definition.last
    counts = [came_to(chains, definition, place) for place in range(len(definition.steps))]
    assert [step["count"] for step in told["steps"]] == counts
    assert (told["entered"], told["converted"]) == (len(chains), sum(chain.done for chain in chains))
    assert told["open"] == sum(chain.may_go_on(NOW) for chain in chains)
    for place, step in enumerate(told["steps"]):
        assert step["percent"] == (round(100 * counts[place] / len(chains), 1) if chains else None)
        if place in definition.backbone:
            depth = definition.backbone.index(place) + 1
            stopped = [chain for chain in chains if len(chain.came) == depth and not chain.done]
            assert step["open"] == sum(chain.may_go_on(NOW) for chain in stopped)
            assert step["dropped"] == sum(not chain.may_go_on(NOW) for chain in stopped)
    times = [_seconds(chain.came[0], chain.came[-1]) for chain in chains if chain.done]
    if len(definition.backbone) > 1:
        assert told["steps"][last]["from_first"]["p50"] == (pytest.approx(median(times)) if times else None)
        assert sum(bucket["count"] for bucket in told["histogram"]) == len(times)


def _seconds(first: PlainEvent, last: PlainEvent) -> float:
    return (last.time - first.time).total_seconds()


@pytest.mark.parametrize("zone", ZONES)
async def test_the_api_counts_as_plain_python_does(make_app: MakeApp, zone: str) -> None:
    random = Random(f"funnels in {zone}")
    office = await open_office(make_app, zone)
    wires, events = random_visits(random, 240)
    for begin in range(0, len(wires), 60):
        await office.app.ingest_and_drain(wires[begin : begin + 60], office.source)
    some = 0
    for _ in range(40):
        definition = random_definition(random)
        question = definition.question(stretch(zone), granularity="day")
        told = await office.funnel(**body(definition), granularity="day", compare=True)
        chains = counted_chains(events, question)
        compare(told, chains, definition)
        before = replace(question, range=question.range.previous())
        compare(told["previous"], counted_chains(events, before), definition)
        _compare_trend(told, chains, question)
        _compare_groups(told, chains, definition)
        some += told["converted"]
    assert some > 20


def _compare_trend(told: dict[str, Any], chains: list[Chain], question: Funnel) -> None:
    days = {number: len(found) for number, found in trend(chains, question).items()}
    assert [point["entered"] for point in told["trend"]] == [
        days.get(number, 0) for number in range(FIRST.toordinal(), LAST.toordinal() + 1)
    ]


def _compare_groups(told: dict[str, Any], chains: list[Chain], definition: Definition) -> None:
    if definition.by is None:
        assert told["groups"] == []
        return
    for group in told["groups"]:
        theirs = [chain for chain in chains if chain.value() == group["value"]]
        assert group["reached"] == [came_to(theirs, definition, place) for place in range(len(definition.steps))]
    total = [sum(group["reached"][place] for group in told["groups"]) for place in range(len(definition.steps))]
    assert total == ([step["count"] for step in told["steps"]] if told["groups"] else [0] * len(definition.steps))


async def test_the_page_and_its_downloads_tell_the_same_numbers(make_app: MakeApp) -> None:
    random = Random("a page of funnels")
    office = await open_office(make_app, "Europe/Berlin")
    wires, events = random_visits(random, 240)
    await office.app.ingest_and_drain(wires, office.source)
    for _ in range(8):
        definition = random_definition(random)
        address = query(definition)
        chains = counted_chains(events, definition.question(stretch("Europe/Berlin")))
        counts = [came_to(chains, definition, place) for place in range(len(definition.steps))]
        table = await rows(office, "table", address)
        assert [int(row["reached"]) for row in table] == (counts if chains else [])
        people = await rows(office, "people", f"{address}&at=0&outcome=reached")
        assert sorted(row["actor"] for row in people) == sorted(_labels(people, len(chains)))
        dropped = await rows(office, "people", f"{address}&at=0&outcome=dropped")
        assert len(dropped) == int(table[0]["dropped"] if table else 0)
        entered = sorted(datetime.fromisoformat(row["entered_at"]) for row in people)
        assert entered == sorted(chain.came[0].time for chain in chains)


def _labels(people: list[dict[str, str]], count: int) -> list[str]:
    """As many as there are chains: persons have ids of the store's own, which a recount cannot know."""
    assert len(people) == count
    return [row["actor"] for row in people]


def query(definition: Definition) -> str:
    """The address of a funnel."""
    pairs = [("start_date", str(FIRST)), ("end_date", str(LAST))]
    for name, value in parameters_of(definition).items():
        values = value if isinstance(value, list) else [] if value is None else [value]
        pairs += [(name, str(one).lower() if isinstance(one, bool) else str(one)) for one in values]
    return urlencode(pairs)


async def rows(office: Office, card: str, address: str) -> list[dict[str, str]]:
    """The download of a card."""
    answer = await office.client.get(f"/funnel/{card}.csv?{address}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
