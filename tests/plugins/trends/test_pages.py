"""The pages of trends: each card comes by itself, leads to its rows, and downloads as a table."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from html import unescape
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chatnation.core.auth.permissions import RoleName
from chatnation.testing.apps import MakeApp
from tests.plugins.trends.conftest import NOW, Office, open_office
from tests.plugins.trends.oracle import Recount, Sent, random_history

CARDS = {
    "/trends": ("figures", "sessions", "conversions", "user-growth", "session-duration", "daily-active-users"),
    "/trends/retention": ("figures", "retention", "average"),
    "/trends/lifecycle": ("figures", "lifecycle", "stickiness"),
    "/trends/paths": ("paths",),
    "/trends/errors": ("figures", "errors", "codes", "pages", "messages"),
}
EVER = {"start_date": "2025-02-10", "end_date": "2025-04-02"}
HABITS = [(0, 8, 9), (0, 1), (0, 15), (9,)]
"""Days before 2 April 2025, a Wednesday, on which each of four people came."""


async def rows(office: Office, path: str, **parameters: Any) -> list[dict[str, str]]:
    """A download, by column."""
    answer = await office.client.get(path, params={**EVER, **parameters})
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))


async def habits(office: Office) -> None:
    """Four people with habits."""
    events = [
        Sent(NOW - timedelta(days=days), "help", f"0000000{number}-0000-4000-8000-000000000000", str(number))
        for number, came in enumerate(HABITS, 1)
        for days in came
    ]
    await office.send(events)


async def test_every_card_shows_something_and_its_links_lead_somewhere(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    await office.send(random_history(Random(5), NOW, 40, 60))
    links: set[str] = set()
    for page, cards in CARDS.items():
        assert "nav-tabs" in await office.page(page, **EVER, compare="true")
        for card in cards:
            shown = await office.page(f"{page}/parts/{card}", **EVER, compare="true")
            assert "could not be" not in shown
            assert "Nothing was counted" not in shown, (page, card)
            links |= {unescape(link) for link in re.findall(r'href="(/(?:trends|sessions|events)[^"]*)"', shown)}
            assert await rows(office, f"{page}/{card}.csv"), (page, card)
    assert len(links) > 100
    for link in Random(1).sample(sorted(links), 15):
        assert (await office.client.get(link, headers={"Accept": "text/html"})).status_code == 200, link


async def test_without_events_every_card_says_so(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    for page, cards in CARDS.items():
        await office.page(page)
        for card in cards:
            shown = await office.page(f"{page}/parts/{card}")
            assert "cn-kpi" in shown if card == "figures" else "empty" in shown, (page, card)


async def test_the_figures_of_the_page_are_those_of_the_api(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    events = random_history(Random(6), NOW, 40, 60)
    await office.send(events)
    found = {row["figure"]: row["value"] for row in await rows(office, "/trends/figures.csv")}
    conversions = await office.trend("conversions", **EVER)
    growth = await office.trend("user-growth", **EVER)
    assert int(float(found["Sessions"])) == conversions["summary"]["total_sessions"]
    assert int(float(found["New persons"])) == growth["summary"]["total_new_users"]
    days = await rows(office, "/trends/daily-active-users.csv")
    active = await office.trend("daily-active-users", **EVER)
    assert [(row["Day"], int(float(row["Active persons"]))) for row in days] == [
        (point["date"], point["count"]) for point in active["data"]
    ]


async def test_retention_tells_who_came_back_each_week(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    await habits(office)
    found = await rows(office, "/trends/retention/retention.csv")
    # First weeks: persons 1 and 4 that of 24 March, 2 that of 31 March, 3 that of 17 March.
    assert [(row["Size"], row["0"], row["1"], row["2"]) for row in found if float(row["Size"])] == [
        ("1", "100", "0", "100"),
        ("2", "100", "50", ""),
        ("1", "100", "", ""),
    ]


async def test_lifecycle_and_stickiness_tell_how_people_come(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    await habits(office)
    weeks = await rows(office, "/trends/lifecycle/lifecycle.csv")
    told = {row["Week"]: tuple(int(float(row[name])) for name in STATES) for row in weeks}
    assert told["2025-03-17"] == (1, 0, 0, 0)
    assert told["2025-03-24"] == (2, 0, 0, -1)
    assert told["2025-03-31"] == (1, 1, 1, -1)
    often = await rows(office, "/trends/lifecycle/stickiness.csv")
    assert [int(float(row["Persons"])) for row in often] == [1, 2, 1, 0, 0, 0, 0]


STATES = ("New", "Returning", "Resurrecting", "Dormant")


async def test_paths_tell_what_comes_next(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    for number, names in enumerate((("a", "b", "c"), ("a", "b"), ("a", "c", "c"), ("x", "a", "b"))):
        visitor = f"0000000{number}-0000-4000-8000-000000000000"
        await office.send(
            Sent(NOW - timedelta(minutes=20 - place), name, visitor, visitor) for place, name in enumerate(names)
        )
    found = await rows(office, "/trends/paths/paths.csv", event="a")
    assert sorted((row["From"], row["To"], float(row["Count"])) for row in found) == [
        ("a", "b", 3),
        ("a", "c", 1),
        ("b", "c", 1),
    ]
    backwards = await rows(office, "/trends/paths/paths.csv", event="a", towards="true")
    assert [(row["From"], row["To"], float(row["Count"])) for row in backwards] == [("x", "a", 1)]


async def test_errors_are_told_by_code_with_whom_they_struck(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    events = random_history(Random(7), NOW, 40, 120)
    await office.send(events)
    found = await rows(office, "/trends/errors/codes.csv")
    zone = ZoneInfo("Africa/Nairobi")
    recount = Recount(events, NOW.date() - timedelta(days=51), NOW.date(), zone)
    expected = {}
    for code in ("E1", "E2", None):
        errors = [event for event in recount.active() if event.name == "app_error" and event.code == code]
        visits = [visit for visit in recount.visits() if any(event in errors for event in visit.events)]
        expected[code or "Unknown"] = (len(errors), len(visits), len({event.person for event in errors}))
    assert {
        row["code"]: tuple(int(float(row[name])) for name in ("errors", "sessions", "persons")) for row in found
    } == (expected)
    narrowed = await rows(office, "/trends/errors/codes.csv", code="E2")
    assert [row["code"] for row in narrowed] == ["E2"]


@pytest.mark.parametrize("query", ["rule=never", "period=decade"])
async def test_an_address_that_makes_no_sense_is_refused(make_app: MakeApp, query: str) -> None:
    office = await open_office(make_app)
    assert (await office.client.get(f"/trends/retention?{query}")).status_code == 422


async def test_downloads_need_their_permission(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    auditor = await office.app.client(await office.app.person(office.source.tenant, RoleName.AUDITOR))
    agent = await office.app.client(await office.app.person(office.source.tenant, RoleName.AGENT))
    assert (await auditor.get("/trends")).status_code == 200
    assert (await auditor.get("/trends/sessions.csv")).status_code == 403
    for path in ("/trends", "/trends/errors", "/api/trends/sessions"):
        assert (await agent.get(path)).status_code == 403, path
