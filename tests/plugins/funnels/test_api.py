"""What the API of funnels takes, and what it refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chatnation.core.auth.permissions import RoleName
from chatnation.testing import track
from tests.plugins.funnels.conftest import NOW, Office

STEPS = [{"name": "Begin", "eventName": "start"}, {"name": "End", "eventName": "done"}]


async def visits(office: Office, *names: str, visitor: str = "somebody", minutes: float = 60) -> None:
    """A visitor who does something every minute."""
    begin = NOW - timedelta(minutes=minutes)
    events = [
        track(name, {"kind": visitor}, at=begin + timedelta(minutes=place), visitor=visitor, session=visitor)
        for place, name in enumerate(names)
    ]
    await office.app.ingest_and_drain(events, office.source)


async def test_a_funnel_is_asked_for_in_camel_or_snake_case(office: Office) -> None:
    await visits(office, "start", "done")
    await visits(office, "start", visitor="else")
    camel = await office.funnel(startDate="2025-04-01", endDate="2025-04-02", steps=STEPS, tenantId="another")
    assert [(step["name"], step["event_name"], step["count"], step["percent"]) for step in camel["steps"]] == [
        ("Begin", "start", 2, 100.0),
        ("End", "done", 1, 50.0),
    ]
    assert (camel["conversion"], camel["counted"], camel["previous"]) == (0.5, "persons", None)
    assert camel["period"]["start"] == "2025-04-01T00:00:00+03:00"
    snake = [{"name": step["name"], "event_name": step["eventName"]} for step in STEPS]
    assert await office.funnel(start_date="2025-04-01", end_date="2025-04-02", steps=snake) == camel


async def test_nobody_is_no_percentage(office: Office) -> None:
    told = await office.funnel(steps=STEPS)
    assert (told["entered"], told["conversion"]) == (0, None)
    assert [step["percent"] for step in told["steps"]] == [None, None]


async def test_not_strict_means_in_any_order(office: Office) -> None:
    await visits(office, "done", "start")
    assert [step["count"] for step in (await office.funnel(steps=STEPS))["steps"]] == [1, 0]
    assert [step["count"] for step in (await office.funnel(steps=STEPS, strict=True))["steps"]] == [1, 0]
    assert [step["count"] for step in (await office.funnel(steps=STEPS, strict=False))["steps"]] == [1, 1]
    assert [step["count"] for step in (await office.funnel(steps=STEPS, order="any"))["steps"]] == [1, 0]


async def test_the_same_event_twice_needs_two_events(office: Office) -> None:
    twice = [{"event_name": "start"}, {"event_name": "start"}]
    await visits(office, "start")
    assert [step["count"] for step in (await office.funnel(steps=twice))["steps"]] == [1, 0]
    await visits(office, "start", minutes=30)
    assert [step["count"] for step in (await office.funnel(steps=twice))["steps"]] == [1, 1]


async def test_filters_are_conditions_or_values(office: Office) -> None:
    await visits(office, "start", "done", visitor="one")
    await visits(office, "start", "done", visitor="two")

    async def entered(filters: Any) -> int:
        steps = [{**STEPS[0], "filters": filters}, STEPS[1]]
        count: int = (await office.funnel(steps=steps))["entered"]
        return count

    assert await entered({"properties.kind": "one"}) == 1
    assert await entered({"properties.kind": ["one", "two"]}) == 2
    assert await entered([{"field": "properties.kind", "operator": "is_not", "values": ["one"]}]) == 1
    assert await entered([{"any_of": [{"field": "properties.kind", "values": ["none"]}]}]) == 0


async def test_sessions_are_counted_when_asked(office: Office) -> None:
    await visits(office, "start", minutes=300)
    await visits(office, "start", "done", minutes=100)
    told = await office.funnel(steps=STEPS, actor="session")
    assert (told["counted"], [step["count"] for step in told["steps"]]) == ("sessions", [2, 1])


async def test_journey_flags_ask_for_a_start_and_an_end(office: Office) -> None:
    at = NOW - timedelta(hours=1)
    for visitor, flags in (("one", (True, True)), ("two", (False, True))):
        first = track("start", at=at, visitor=visitor, journey_start=flags[0])
        last = track("done", at=at + timedelta(minutes=1), visitor=visitor, journey_end=flags[1])
        await office.app.ingest_and_drain([first, last], office.source)
    told = await office.funnel(steps=STEPS, useJourneyFlags=True)
    assert [step["count"] for step in told["steps"]] == [1, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"steps": []},
        {"steps": STEPS * 11},
        {"steps": STEPS, "window": 0},
        {"steps": STEPS, "window": 91 * 86_400},
        {"steps": STEPS, "order": "backwards"},
        {"steps": STEPS, "order": "any", "strict": True},
        {"steps": STEPS, "granularity": "minute"},
        {"steps": STEPS, "start_date": "2025-02-30"},
        {"steps": STEPS, "start_date": "2025-04-02", "end_date": "2025-04-01"},
        {"steps": STEPS, "by": "properties"},
        {"steps": STEPS, "actor": "nobody"},
        {"steps": STEPS, "constant": ["nothing"]},
        {"steps": STEPS, "exclusions": [{"select": {"events": ["a"]}, "after": 1}]},
        {"steps": [{**STEPS[0], "optional": True}, STEPS[1]]},
        {"steps": [STEPS[0], {**STEPS[1], "within": 5}], "order": "any"},
        {"steps": [{"eventName": "a", "unknown": 1}]},
        {"steps": [{"eventName": "a", "filters": {"nothing": 1}}]},
        {"steps": STEPS, "colour": "red"},
    ],
)
async def test_what_makes_no_sense_is_refused_in_words(office: Office, wrong: dict[str, Any]) -> None:
    answer = await office.client.post("/api/funnel", json=wrong)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"]


async def test_each_tenant_has_funnels_of_its_own_events(office: Office) -> None:
    await visits(office, "start", "done")
    stranger = await office.as_role(RoleName.ADMIN, await office.app.source("Somebody else"))
    told = (await stranger.post("/api/funnel", json={"steps": STEPS})).json()
    assert told["entered"] == 0


async def test_bots_are_left_out_unless_asked_for(office: Office) -> None:
    bot = {"userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}
    event = track("start", at=NOW - timedelta(hours=1), context=bot)
    await office.app.ingest_and_drain([event], office.source)
    assert (await office.funnel(steps=STEPS))["entered"] == 0
    assert (await office.funnel(steps=STEPS, include_bots=True))["entered"] == 1
