"""What the API says of days of the demo is what their facts add up to."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import chain
from random import Random
from statistics import fmean, median
from typing import Any

import httpx
import pytest

from chatnation.core.demo.generator import TaxAuthority
from chatnation.core.processing.pipeline import Pipeline
from chatnation.core.query.segments.builder import SegmentBuilder
from chatnation.core.queue.deadletters import DeadLetters
from chatnation.testing.apps import MakeApp
from chatnation.testing.clock import FakeClock
from tests.core.processing.conftest import Intake
from tests.core.query.stored import History
from tests.plugins.bundled import bundled_plugins
from tests.plugins.demo_history import store
from tests.plugins.demo_recount import Happened, Recount

NOW = datetime(2026, 3, 6, 9, 37, tzinfo=UTC)
WEEK = {"period": "7d"}
MRI = ("filing_started", "validation_success", "otp_verified", "return_filed", "payment_initiated", "payment_success")


async def test_the_numbers_of_every_report_equal_a_recount_of_the_facts(make_app: MakeApp) -> None:
    clock = FakeClock(NOW)
    app = await make_app(*bundled_plugins(), clock=clock)
    source = await app.source()
    history = History(Intake(app, source, Pipeline.of(app.app), DeadLetters(app.app)), Random(1), clock)
    facts = list(chain.from_iterable(TaxAuthority(visits_per_day=60).between(NOW - timedelta(days=4), NOW)))
    await store(history, [fact for place, fact in enumerate(facts) if place % 9])
    await SegmentBuilder.of(app.app).build(source.tenant.id)
    await store(history, facts[::9])
    client, recount = await app.client(await app.person(source.tenant)), Recount(facts)
    await visits_and_persons(client, recount)
    await messages(client, recount)
    await conversations(client, recount)
    await satisfaction(client, recount)
    await journeys(client, recount)
    await funnel(client, recount)


async def ask(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(f"/api/{path}", params=WEEK)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def visits_and_persons(client: httpx.AsyncClient, recount: Recount) -> None:
    overview, visits = await ask(client, "overview"), recount.visits
    assert overview["total_sessions"] == len(visits) > 200
    assert overview["journey_sessions"] == sum(visit.journey for visit in visits) > 0
    assert overview["conversions"] == sum(visit.converted for visit in visits) > 0
    assert overview["conversion_rate"] == pytest.approx(fmean(visit.converted for visit in visits))
    assert overview["total_users"] == len({event.person for visit in visits for event in visit.events})
    lengths = [(visit.events[-1].at - visit.events[0].at).total_seconds() for visit in visits]
    assert overview["avg_session_duration"] == pytest.approx(fmean(lengths))
    days = {row["date"]: row["count"] for row in overview["daily_sessions"] if row["count"]}
    assert days == recount.visits_by_day()
    pages = {row["page_path"]: row["count"] for row in (await ask(client, "overview/page-paths"))["data"]}
    views = recount.views()
    assert len(pages) == 15
    assert pages == {path: views[path] for path in pages}
    assert min(pages.values()) >= max(count for path, count in views.items() if path not in pages)
    trend = await ask(client, "trends/sessions")
    assert {row["period"]: row["sessions"] for row in trend["data"] if row["sessions"]} == recount.visits_by_day()


async def messages(client: httpx.AsyncClient, recount: Recount) -> None:
    stats = await ask(client, "whatsapp-analytics/stats")
    received, sent = recount.named("message.received"), recount.named("message.sent")
    assert (stats["messages_received"], stats["messages_sent"]) == (len(received), len(sent))
    assert stats["unique_contacts"] == len({event.person for event in received}) > 20
    told = {message_id(event) for event in recount.named("message.read")}
    assert stats["messages_read"] == sum(message_id(event) in told for event in sent) > 0
    answers, times = recount.answers(), await ask(client, "whatsapp-analytics/response-time")
    assert times["answered"] == len(answers) > 20
    assert times["median_minutes"] == pytest.approx(median(answers))
    minutes = Counter(min(9, int(answer)) for answer in answers)
    assert [bucket["count"] for bucket in times["distribution"]] == [minutes[minute] for minute in range(10)]


async def conversations(client: httpx.AsyncClient, recount: Recount) -> None:
    classified, failed = recount.named("ai.classification"), recount.named("ai.error")
    stats = await ask(client, "ai-analytics/stats")
    assert (stats["total_classifications"], stats["error_count"]) == (len(classified), len(failed))
    assert stats["avg_latency_ms"] == pytest.approx(fmean(event.said["latency_ms"] for event in classified))
    assert stats["avg_confidence"] == pytest.approx(fmean(event.said["confidence"] for event in classified))
    intents = {row["intent"]: row["count"] for row in (await ask(client, "ai-analytics/intents"))["data"]}
    assert intents == Counter(event.said["detected_intent"] for event in classified)
    errors = {row["error_type"]: row["count"] for row in (await ask(client, "ai-analytics/errors"))["data"]}
    assert errors == Counter(event.said["error_type"] for event in failed)
    handed = {
        one.person
        for one in classified
        for other in recount.named("agent.handoff")
        if other.person == one.person and timedelta() < other.at - one.at <= timedelta(hours=24)
    }
    containment = await ask(client, "ai-analytics/containment")
    assert containment["total_ai_persons"] == len({event.person for event in classified})
    assert containment["handed_off_persons"] == len(handed) > 0


async def satisfaction(client: httpx.AsyncClient, recount: Recount) -> None:
    summary, scores = (await ask(client, "csat-analytics/dashboard"))["summary"], recount.scores()
    assert summary["total_responses"] == len(scores) > 3
    assert summary["average_score"] == pytest.approx(fmean(scores), abs=0.051)
    spread = Counter(scores)
    assert {row["score"]: row["count"] for row in summary["distribution"]} == {n: spread[n] for n in range(1, 6)}
    assert summary["total_sent"] == len(recount.named("csat.sent")) > 0


async def journeys(client: httpx.AsyncClient, recount: Recount) -> None:
    overview, found = await ask(client, "journeys/overview"), recount.attempts(NOW)
    for outcome in ("completed", "abandoned", "assisted"):
        assert overview[f"{outcome}_journeys"] == found[outcome], outcome
    assert overview["in_progress"] == found["in_progress"]
    assert overview["total_journeys"] == found["completed"] + found["abandoned"] + found["assisted"] > 50
    chats = [visit for visit in recount.visits if visit.events[0].channel == "whatsapp" and not visit.journey]
    assert overview["bot_chat_only"] == len(chats) > 0


async def funnel(client: httpx.AsyncClient, recount: Recount) -> None:
    mri = {"field": "properties.obligation_type", "values": ["mri"]}
    steps = [{"name": name, "select": {"events": [name], "filters": [mri]}} for name in MRI]
    question = {"kind": "funnel", "range": WEEK, "steps": steps, "window": 86_400}
    answer = await client.get("/api/query", params={"q": json.dumps(question)})
    assert answer.status_code == 200, answer.text
    reached = recount.funnel([matching(name) for name in MRI], timedelta(days=1))
    assert [step["reached"] for step in answer.json()["steps"]] == reached
    assert reached[0] > reached[-1] > 0


def matching(name: str) -> Any:
    return lambda event: event.name == name and event.said.get("obligation_type") == "mri"


def message_id(event: Happened) -> str:
    """The provider's id, in either spelling."""
    return str(event.said.get("messageId") or event.said.get("message_id"))
