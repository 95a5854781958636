"""Every number that is told of journeys equals a recount of what was sent, one fact after the other."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from datetime import date, datetime, time, timedelta
from random import Random
from statistics import fmean, median
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chatnation.testing import identify, track, whatsapp_message
from chatnation.testing.apps import MakeApp
from tests.plugins.journeys.conftest import NOW, Fact, Office, open_office, random_history
from tests.plugins.journeys.oracle import Journey, Recount

ZONES = ("Africa/Nairobi", "Europe/Berlin")
PERIODS = ((date(2025, 3, 27), date(2025, 4, 2)), (date(2025, 3, 20), date(2025, 3, 30)))


def days(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return datetime.combine(first, time(), zone), datetime.combine(last + timedelta(days=1), time(), zone)


def recounts(facts: list[Fact], first: date, last: date, zone: ZoneInfo) -> tuple[Recount, Recount]:
    """Of a period, and of as many days before it."""
    length = last - first + timedelta(days=1)
    now, before = (days(first - shift, last - shift, zone) for shift in (timedelta(0), length))
    return Recount(facts, *now, NOW), Recount(facts, *before, NOW)


def figures(recount: Recount) -> dict[str, Any]:
    found = recount.outcomes()
    total = found["assisted"] + found["completed"] + found["abandoned"]

    def rate(*outcomes: str) -> float:
        return 100 * sum(found[outcome] for outcome in outcomes) / total if total else 0

    return {
        "total_journeys": total,
        "self_serve_journeys": found["completed"] + found["abandoned"],
        "assisted_journeys": found["assisted"],
        "completed_journeys": found["completed"],
        "abandoned_journeys": found["abandoned"],
        "in_progress": found["in_progress"],
        "bot_chat_only": recount.bot_chats(),
        "self_serve_rate": pytest.approx(rate("completed", "abandoned")),
        "assisted_rate": pytest.approx(rate("assisted")),
        "completion_rate": pytest.approx(rate("completed")),
        "abandonment_rate": pytest.approx(rate("abandoned")),
        "handoffs_without_journey": recount.loose_handoffs,
    }


async def compare_overview(office: Office, now: Recount, before: Recount, period: dict[str, str]) -> None:
    told = await office.get("/overview", **period)
    expected, earlier = figures(now), figures(before)
    assert {name: told[name] for name in expected} == expected
    assert told["previous"] == earlier
    assert told["handoffs"] == len(now.handoffs)
    assert told["handoffs_in_journeys"] + told["handoffs_without_journey"] == told["handoffs"]
    total, total_before = expected["total_journeys"], earlier["total_journeys"]
    change = round(100 * (total - total_before) / total_before, 1) if total_before else 0
    assert told["change"]["total_journeys"] == change


async def compare_trend(office: Office, now: Recount, period: dict[str, str], zone: ZoneInfo) -> None:
    told = await office.get("/trends/handoff", granularity="day", **period)
    by_day = now.days(zone)
    rates = []
    for point in told["data"]:
        found = by_day.pop(datetime.fromisoformat(point["period"]).astimezone(zone).date().isoformat(), Counter())
        total = found["assisted"] + found["completed"] + found["abandoned"]
        assert (point["assisted"], point["total_journeys"], point["in_progress"]) == (
            found["assisted"], total, found["in_progress"],
        )  # fmt: skip
        assert point["self_serve"] == total - found["assisted"]
        assert point["handoff_rate"] == pytest.approx(100 * found["assisted"] / total if total else 0)
        rates.append((found["assisted"], total))
    assert not by_day
    middle = len(rates) // 2
    first, second = (
        100 * sum(part for part, _ in half) / (sum(total for _, total in half) or 1)
        for half in (rates[:middle], rates[middle:])
    )
    change = 100 * (second - first) / first if first else 0
    assert told["summary"]["percent_change"] == pytest.approx(change, abs=0.06)


async def compare_handoffs(office: Office, now: Recount, period: dict[str, str]) -> None:
    handoffs = now.handoffs
    steps = Counter(
        fact.properties.get("journeyStep") or fact.properties.get("handoffReason") or "unknown" for fact in handoffs
    )
    told = await office.get("/handoff-by-step", **period)
    assert {row["step"]: row["handoffs"] for row in told["data"]} == steps
    assert told["summary"] == {"total_handoffs": len(handoffs), "unique_steps": len(steps)}
    assert sum(row["percentage"] for row in told["data"]) == pytest.approx(100 if handoffs else 0)

    reasons = Counter(fact.properties.get("handoffReason", "unknown") for fact in handoffs)
    told = await office.get("/handoff-reasons", **period)
    assert {row["reason"]: row["count"] for row in told["data"]} == reasons

    told = await office.get("/agent-performance", **period)
    persons = defaultdict(set)
    for fact in handoffs:
        persons[fact.properties.get("agentId")].add(fact.person)
    taken = Counter(fact.properties.get("agentId") for fact in handoffs)
    assert {row["agent_id"]: row["total_handoffs"] for row in told["data"]} == taken
    assert {row["agent_id"]: row["unique_persons"] for row in told["data"]} == {
        agent: len(some) for agent, some in persons.items()
    }
    assert told["summary"]["total_agents"] == len(set(taken) - {None})
    assert {row["agent_name"] for row in told["data"]} <= {"Amina", "Otieno", None}

    times = [journey.seconds_to_handoff for journey in now.journeys if journey.outcome(NOW) == "assisted"]
    told = await office.get("/time-to-handoff", **period)
    assert told["handoff_count"] == len(times)
    assert told["avg_seconds"] == (pytest.approx(fmean(times)) if times else None)
    assert told["median_seconds"] == (pytest.approx(median(times)) if times else None)


async def compare_names(office: Office, now: Recount, period: dict[str, str]) -> None:
    by_name: dict[str, list[Journey]] = defaultdict(list)
    for journey in now.journeys:
        by_name[journey.name].append(journey)
    told = await office.get("/by-journey", **period)
    for row in told["data"]:
        journeys = by_name.pop(row["step"].replace("-", " ").replace("_", " ").lower())
        found = now.outcomes(journeys)
        assert (row["started"], row["completed"]) == (len(journeys), sum(journey.ended for journey in journeys))
        assert (row["completed_self_serve"], row["dropped_off"]) == (found["completed"], found["abandoned"])
        assert (row["assisted"], row["in_progress"]) == (found["assisted"], found["in_progress"])
    assert not by_name


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("seed", range(3))
async def test_every_answer_equals_a_recount(make_app: MakeApp, zone: str, seed: int) -> None:
    office = await open_office(make_app, zone)
    wires, facts = random_history(Random(f"{zone} {seed}"), 240)
    await office.app.ingest_and_drain(wires, office.source)
    for first, last in PERIODS:
        now, before = recounts(facts, first, last, ZoneInfo(zone))
        period = {"start_date": str(first), "end_date": str(last)}
        assert now.outcomes()["assisted"]
        await compare_overview(office, now, before, period)
        await compare_trend(office, now, period, ZoneInfo(zone))
        await compare_handoffs(office, now, period)
        await compare_names(office, now, period)
        await compare_rows(office, now, period)


async def compare_rows(office: Office, now: Recount, period: dict[str, str]) -> None:
    """The journeys that are behind a number are as many as it says."""
    for outcome in ("assisted", "completed", "abandoned", "in_progress"):
        download = await office.client.get("/journeys/told.csv", params={**period, "outcome": outcome})
        rows = list(csv.DictReader(io.StringIO(download.text.lstrip("\ufeff"))))
        expected = [journey.start.at for journey in now.journeys if journey.outcome(NOW) == outcome]
        assert sorted(datetime.fromisoformat(row["started_at"]) for row in rows) == sorted(expected)


async def test_a_journey_on_the_web_is_assisted_by_an_agent_on_whatsapp(office: Office) -> None:
    """Nothing joins the two but the person, who turns out to be one only afterwards."""
    browser, phone, at = "a-browser", "254700000001", NOW - timedelta(hours=3)
    whatsapp = {"channel": "whatsapp", "externalId": phone}
    start = track("filing_started", {"journey": "MRI"}, visitor=browser, at=at, journey_start=True)
    handoff = track(
        "agent.handoff", {"journeyStep": "otp"}, user=phone, visitor=phone, context=whatsapp,
        at=at + timedelta(minutes=61), session="an-inbox-session",
    )  # fmt: skip
    await office.app.ingest_and_drain([start, handoff], office.source)
    apart = await office.get("/overview", period="today")
    assert (apart["abandoned_journeys"], apart["assisted_journeys"], apart["handoffs_without_journey"]) == (1, 0, 1)

    login = identify("A001234567Z", visitor=browser, at=at + timedelta(hours=2), context={"externalId": phone})
    await office.app.ingest_and_drain([login], office.source)

    joined = await office.get("/overview", period="today")
    assert (joined["abandoned_journeys"], joined["assisted_journeys"], joined["handoffs_without_journey"]) == (0, 1, 0)
    assert (await office.get("/time-to-handoff", period="today"))["avg_formatted"] == "1h 1m"


async def test_a_journey_is_in_progress_for_half_an_hour_after_its_persons_last_event(office: Office) -> None:
    visitor = "a-browser"
    start = track("filing_started", visitor=visitor, at=NOW - timedelta(minutes=50), journey_start=True)
    look = track("page_view", visitor=visitor, at=NOW - timedelta(minutes=29))
    await office.app.ingest_and_drain([start, look], office.source)
    told = await office.get("/overview", period="today")
    assert (told["in_progress"], told["abandoned_journeys"], told["total_journeys"]) == (1, 0, 0)

    office.clock.move(timedelta(minutes=2))

    told = await office.get("/overview", period="today")
    assert (told["in_progress"], told["abandoned_journeys"], told["abandonment_rate"]) == (0, 1, 100)


async def test_filters_are_about_where_a_journey_began(office: Office) -> None:
    phone = "254700000001"
    context = {"externalId": phone}
    whatsapp = {"channel": "whatsapp", **context}
    await office.app.ingest_and_drain(
        [
            track("filing_started", at=NOW - timedelta(hours=3), visitor="b", context=context, journey_start=True),
            whatsapp_message(phone, "help", at=NOW - timedelta(hours=2)),
            track("agent.handoff", at=NOW - timedelta(hours=2), user=phone, visitor=phone, context=whatsapp),
        ],
        office.source,
    )
    for channel, assisted in (("web", 1), ("whatsapp", 0)):
        told = await office.get("/overview", period="today", channel=channel)
        assert (told["assisted_journeys"], told["total_journeys"]) == (assisted, assisted)


async def test_an_organisation_decides_how_journeys_are_counted(office: Office) -> None:
    visitor = "a-browser"
    events = [
        track("filing_started", {"service": "mri"}, visitor=visitor, at=NOW - timedelta(hours=5), journey_start=True),
        track("return_filed", visitor=visitor, at=NOW - timedelta(hours=2), journey_end=True),
    ]
    await office.app.ingest_and_drain(events, office.source)
    (row,) = (await office.get("/by-journey"))["data"]
    assert (row["step"], row["completed"]) == ("filing_started", 1)

    await office.set(window_hours=1, name_properties=["service"], labels=["MRI = Monthly rental income"])

    (row,) = (await office.get("/by-journey"))["data"]
    assert (row["step"], row["label"], row["completed"], row["dropped_off"]) == ("mri", "Monthly rental income", 0, 1)
    labels = (await office.get("/journey-labels"))["labels"]
    assert (labels["MRI"], labels["TEMV"], labels["unknown"]) == ("Monthly rental income", "Extend TIMV", "Other")


async def test_other_tenants_are_not_counted(office: Office) -> None:
    wires, _ = random_history(Random(1), 60)
    await office.app.ingest_and_drain(wires, office.source)
    other = await office.app.source("Another")
    client = await office.app.client(await office.app.person(other.tenant))

    told = await office.get("/overview", client, period="30d")

    assert told["total_journeys"] == told["handoffs"] == told["bot_chat_only"] == 0
    assert (await office.get("/by-journey", client))["data"] == []
    assert (await office.get("/time-to-handoff", client))["median_seconds"] is None


@pytest.mark.parametrize(
    "parameters",
    [{"granularity": "minute"}, {"start_date": "soon"}, {"start_date": "2025-02-02", "end_date": "2025-01-01"}],
)
async def test_what_makes_no_sense_is_refused(office: Office, parameters: dict[str, str]) -> None:
    for path in ("/overview", "/trends/handoff", "/by-journey"):
        answer = await office.client.get(f"/api/journeys{path}", params=parameters)
        assert answer.status_code == 422, answer.text
