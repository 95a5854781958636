"""Every number of the API about satisfaction, against a recount."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import datetime, time, timedelta
from random import Random
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from chatnation.core.auth.permissions import RoleName
from chatnation.plugins.csat.settings import CsatTenantSettings
from chatnation.testing import MakeApp
from tests.plugins.csat.history import Recount, Said, random_history
from tests.plugins.recounting import NOW, asking, bounds, opened, share, stored

ask = asking("/api/csat-analytics")
PERIODS: list[dict[str, str]] = [
    {},
    {"period": "today"},
    {"start_date": "2025-03-20", "end_date": "2025-03-31"},
    {"period": "90d", "granularity": "week"},
    {"start_date": "2025-01-01", "end_date": "2025-03-31", "granularity": "month"},
]
PATHS = ("dashboard", "by-journey", "by-channel", "by-agent", "trend", "feedback")
HTML = {"Accept": "text/html"}


def average(scores: list[int]) -> Any:
    return pytest.approx(round(fmean(scores), 1)) if scores else None


def same_scores(row: Any, scores: list[int]) -> None:
    counts = Counter(scores)
    assert row["total_responses"] == len(scores)
    assert row["average_score"] == average(scores)
    assert row["five_star_percent"] == share(counts[5], len(scores))
    assert [(each["score"], each["count"], each["percentage"]) for each in row["distribution"]] == [
        (score, counts[score], share(counts[score], len(scores))) for score in range(1, 6)
    ]


@pytest.mark.parametrize("timezone", ["Africa/Nairobi", "Europe/Berlin"])
async def test_every_number_equals_a_recount(make_app: MakeApp, timezone: str) -> None:
    app, source, client = await opened(make_app, timezone)
    said = random_history(Random(timezone), NOW)
    await stored(app, source, said)
    zone = ZoneInfo(timezone)
    for period in PERIODS:
        recount = Recount(said, *bounds(period, zone), NOW)
        await compare_summary(client, recount, period)
        await compare_breakdowns(client, recount, period)
        await compare_trend(client, recount, period, zone)
        await compare_feedback(client, recount, period)


async def compare_summary(client: httpx.AsyncClient, recount: Recount, period: dict[str, str]) -> None:
    summary = (await ask(client, "dashboard", **period))["summary"]
    scores = [one.score or 0 for one in recount.responses()]
    same_scores(summary, scores)
    surveys = recount.surveys().values()
    sent, answered = sum(each[0] for each in surveys), sum(len(each[1]) for each in surveys)
    assert (summary["total_sent"], summary["response_rate"]) == (sent, share(answered, sent))
    assert summary["revisions"] == len(recount.revisions())
    assert summary["invalid_ratings"] == len(recount.invalid())
    days = (recount.end.date() - recount.start.date()).days
    earlier = datetime.combine(recount.start.date() - timedelta(days=days), time(), recount.start.tzinfo)
    before = [one.score or 0 for one in Recount(recount.said, earlier, recount.start, NOW).responses()]
    change = 100 * (fmean(scores) - fmean(before)) / fmean(before) if before and scores else -100 if before else 0
    assert summary["percent_change"] == pytest.approx(change, abs=0.051)


async def compare_breakdowns(client: httpx.AsyncClient, recount: Recount, period: dict[str, str]) -> None:
    for path, name, expected in (
        ("by-journey", "journey", recount.by(lambda one: one.journey)),
        ("by-channel", "channel", recount.by(lambda one: one.channel)),
    ):
        data = (await ask(client, path, **period))["data"]
        assert {row[name] for row in data} == expected.keys()
        for row in data:
            same_scores(row, expected[row[name]])
    surveys = recount.surveys()
    agents = (await ask(client, "by-agent", **period))["data"]
    assert {row["agent_id"] for row in agents} == surveys.keys()
    for row in agents:
        sent, scores, still_open = surveys[row["agent_id"]]
        assert (row["sent"], row["open"], row["response_rate"]) == (sent, still_open, share(len(scores), sent))
        assert row["name"] == ("Amina" if row["agent_id"] == "a1" else None)
        same_scores(row, scores)


async def compare_trend(client: httpx.AsyncClient, recount: Recount, period: dict[str, str], zone: ZoneInfo) -> None:
    trend = await ask(client, "trend", **period)
    cut = trend["granularity"]

    def named(at: datetime) -> str:
        local = at.astimezone(zone)
        if cut == "week":
            return f"{local.isocalendar().year}-W{local.isocalendar().week:02}"
        return f"{local:%Y-%m}" if cut == "month" else f"{local:%Y-%m-%d}"

    if cut == "hour":
        return
    scores: dict[str, list[int]] = {}
    for one in recount.responses():
        scores.setdefault(named(one.at), []).append(one.score or 0)
    sent = Counter(named(one.at) for one in recount.of("csat.sent"))
    names = [row["period"] for row in trend["data"]]
    assert names == sorted(set(names))
    assert {*scores, *sent} <= set(names)
    for row in trend["data"]:
        theirs = scores.get(row["period"], [])
        assert (row["average_score"], row["response_count"]) == (average(theirs), len(theirs))
        assert row["sent"] == sent[row["period"]]


async def compare_feedback(client: httpx.AsyncClient, recount: Recount, period: dict[str, str]) -> None:
    expected = {
        "latest": recount.responses(),
        "low": [one for one in recount.responses() if (one.score or 0) <= 2],
        "comments": [one for one in recount.responses() if one.properties.get("feedback")],
        "revised": recount.revisions(),
        "invalid": recount.invalid(),
    }
    for show, said in expected.items():
        rows, after = [], {}
        while True:
            page = await ask(client, "feedback", show=show, limit="7", **after, **period)
            rows += page["items"]
            if page["next_cursor"] is None:
                break
            assert len(page["items"]) == 7
            after = {"after": page["next_cursor"]}
        said = sorted(said, key=lambda one: one.at, reverse=True)
        assert [datetime.fromisoformat(row["timestamp"]) for row in rows] == [one.at for one in said]
        assert sorted(str((row["rating"], row["feedback"], row["chat"])) for row in rows) == sorted(
            str((one.score, one.properties.get("feedback") or None, one.chat)) for one in said
        )


async def test_the_first_rating_of_a_chat_stays_the_one_that_counts(make_app: MakeApp) -> None:
    app, source, client = await opened(make_app)
    at = NOW - timedelta(days=60)
    await stored(app, source, [Said("csat_submitted", at, 1, "chat", {"rating": 2})])
    await stored(app, source, [Said("csat_submitted", NOW - timedelta(hours=1), 1, "chat", {"rating": 5})])

    assert (await ask(client, "dashboard"))["summary"]["total_responses"] == 0
    assert (await ask(client, "dashboard"))["summary"]["revisions"] == 1

    # A rating that comes late, but was given before, is the first from now on.
    await stored(app, source, [Said("csat_submitted", at - timedelta(hours=1), 1, "chat", {"rating": 4})])
    longest = await ask(client, "dashboard", period="90d")
    assert (longest["summary"]["average_score"], longest["summary"]["revisions"]) == (4, 2)


async def test_filters_do_not_make_another_rating_the_first(make_app: MakeApp) -> None:
    app, source, client = await opened(make_app)
    at = NOW - timedelta(days=1)
    said = [
        Said("csat_submitted", at, 1, "chat", {"rating": 2}, "whatsapp"),
        Said("csat_submitted", at + timedelta(hours=1), 2, "chat", {"rating": 5}, "web"),
    ]
    await stored(app, source, said)

    responses = {
        channel: (await ask(client, "dashboard", channel=channel))["summary"]["total_responses"]
        for channel in ("whatsapp", "web")
    }

    assert responses == {"whatsapp": 1, "web": 0}


async def test_the_page_lists_feedback_and_low_scores_as_the_organisation_means_them(make_app: MakeApp) -> None:
    app, source, client = await opened(make_app)
    at = NOW - timedelta(hours=3)
    said = [
        Said("csat_submitted", at, 1, "one", {"rating": 3, "feedback": "<b>It took ages</b>"}),
        Said("csat_submitted", at, 2, "two", {"rating": 5, "feedback": "Thank you"}),
        Said("csat_submitted", at, 3, "three", {"rating": "eleven"}),
    ]
    await stored(app, source, said)

    async def part(**parameters: str) -> str:
        answer = await client.get("/csat-analytics/parts/feedback", params=parameters, headers=HTML)
        assert answer.status_code == 200
        return answer.text

    every = await part()
    assert "&lt;b&gt;It took ages&lt;/b&gt;" in every
    assert "Thank you" in every
    assert "eleven" not in every
    assert "eleven" in await part(show="invalid")
    assert "It took ages" not in await part(show="low")
    await app.app.tenant_settings.put(source.tenant.id, "csat", CsatTenantSettings(low_score=3))
    low = await part(show="low")
    assert "It took ages" in low
    assert "Thank you" not in low
    assert "/persons/" in low
    page = await client.get("/csat-analytics", headers=HTML)
    assert page.status_code == 200


async def test_feedback_is_downloaded_whole_and_safe_for_spreadsheets(make_app: MakeApp) -> None:
    app, source, client = await opened(make_app)
    said = [
        Said("csat_submitted", NOW - timedelta(minutes=minute), minute, f"c{minute}", {"rating": 1, "feedback": "=1+1"})
        for minute in range(1, 31)
    ]
    await stored(app, source, said)

    answer = await client.get("/csat-analytics/feedback.csv")

    rows = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert len(rows) == 30
    assert {row["feedback"] for row in rows} == {"'=1+1"}


async def test_without_events_nothing_is_made_up(make_app: MakeApp) -> None:
    _, _, client = await opened(make_app)
    summary = (await ask(client, "dashboard"))["summary"]
    assert (summary["average_score"], summary["response_rate"], summary["total_responses"]) == (None, None, 0)
    assert len((await ask(client, "trend", period="7d"))["data"]) == 7
    page = await client.get("/csat-analytics", headers=HTML)
    assert page.status_code == 200
    assert "could not be shown" not in page.text


async def test_another_tenant_s_ratings_do_not_count(make_app: MakeApp) -> None:
    app, source, _ = await opened(make_app)
    await stored(app, source, random_history(Random(1), NOW, chats=10))
    stranger = await app.client(await app.person((await app.source("Another")).tenant))
    assert (await ask(stranger, "dashboard", period="90d"))["summary"]["total_responses"] == 0
    assert (await ask(stranger, "feedback", period="90d"))["items"] == []


async def test_what_makes_no_sense_is_refused(make_app: MakeApp) -> None:
    app, source, client = await opened(make_app)
    for path in PATHS:
        for wrong in ({"granularity": "year"}, {"period": "8d"}, {"start_date": "soon"}):
            answer = await client.get(f"/api/csat-analytics/{path}", params=wrong)
            assert (path, wrong, answer.status_code) == (path, wrong, 422)
    for wrong in ({"show": "best"}, {"limit": "0"}, {"after": "nowhere"}):
        assert (await client.get("/api/csat-analytics/feedback", params=wrong)).status_code == 422
    agent = await app.client(await app.person(source.tenant, RoleName.AGENT))
    assert (await agent.get("/api/csat-analytics/dashboard")).status_code == 403
    assert (await agent.get("/csat-analytics", headers=HTML)).status_code == 403
