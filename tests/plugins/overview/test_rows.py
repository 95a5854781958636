"""Every number leads to its rows, and every table to CSV."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from random import Random
from uuid import uuid4

import pytest

from chatnation.core.auth.permissions import RoleName
from chatnation.plugins.overview.figures import cards
from chatnation.testing.apps import MakeApp
from chatnation.testing.events import page_view
from tests.plugins.overview.conftest import NOW, build_columns, open_office
from tests.plugins.overview.oracle import random_visits

CARDS = [card.id for card in cards()]
EVER = {"start_date": "2025-06-01", "end_date": "2025-06-30"}


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


async def test_pages_of_sessions_hold_each_of_them_once_newest_first(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    visits = [replace(visit, is_bot=False) for visit in random_visits(Random(2), NOW, 5, 40)]
    await office.store(visits)
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await office.sessions(**EVER, limit="7", **cursor)
        seen += [row["session_id"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"after": page["next_cursor"]}
    expected = sorted(visits, key=lambda visit: (visit.started_at, visit.session_id), reverse=True)
    assert seen == [str(visit.session_id) for visit in expected]


@pytest.mark.parametrize(
    ("filter_", "attribute", "value"),
    [
        ({"device": "mobile"}, "device_type", "mobile"),
        ({"device": "unknown"}, "device_type", None),
        ({"browser": "Safari"}, "browser_name", "Safari"),
        ({"country": "KE"}, "country_code", "KE"),
        ({"converted": "true"}, "converted", True),
        ({"identified": "false"}, "user_id", None),
    ],
)
async def test_a_filter_lists_exactly_the_sessions_that_were_counted(
    make_app: MakeApp, filter_: dict[str, str], attribute: str, value: object
) -> None:
    office = await open_office(make_app)
    visits = random_visits(Random(3), NOW, 3, 40)
    await office.store(visits)
    expected = {str(v.session_id) for v in visits if not v.is_bot and getattr(v, attribute) == value}
    found = await office.sessions(**EVER, limit="200", **filter_)
    assert expected
    assert {row["session_id"] for row in found["items"]} == expected


async def test_each_cell_of_the_heatmap_leads_to_as_many_sessions(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    await office.store(random_visits(Random(5), NOW, 3, 40))
    cells = [cell for cell in (await office.get("", **EVER))["heatmap"] if cell["count"]]
    assert cells
    for cell in cells:
        day, hour = str(cell["day"]), str(cell["hour"])
        found = await office.sessions(**EVER, weekday=day, hour=hour)
        assert len(found["items"]) == cell["count"]


async def test_page_views_sent_through_the_collector_are_counted_and_listed(make_app: MakeApp) -> None:
    app = await make_app()
    source = await app.source()
    client = await app.client(await app.person(source.tenant))
    one, other = str(uuid4()), str(uuid4())
    events = [page_view("/a", visitor=one), page_view("/a", visitor=one), page_view("/b", visitor=one)]
    events += [page_view("/a", visitor=other), page_view("=HYPERLINK(1)", visitor=other)]
    await app.ingest_and_drain(events, source)
    await app.ingest_and_drain(events, source)
    for _ in range(2):
        pages = (await client.get("/api/overview/page-paths", params={"period": "7d"})).json()["data"]
        counted = {page["page_path"]: (page["count"], page["unique_sessions"]) for page in pages}
        assert counted == {"/a": (3, 2), "/b": (1, 1), "=HYPERLINK(1)": (1, 1)}
        assert (await client.get("/api/overview?period=7d")).json()["page_views"] == 5
        await build_columns(app)
    listed = (await client.get("/api/events?period=7d&event_name=page_view&page=/a")).json()
    assert len(listed["items"]) == 3
    looked = (await client.get("/api/sessions?period=7d&page=/a")).json()
    assert len(looked["items"]) == 2
    cells = [cell for row in table((await client.get("/overview/pages.csv?period=7d")).text) for cell in row]
    assert "'=HYPERLINK(1)" in cells
    assert "=HYPERLINK(1)" not in cells


@pytest.mark.parametrize("name", CARDS)
async def test_every_table_can_be_downloaded_by_those_who_may(make_app: MakeApp, name: str) -> None:
    office = await open_office(make_app)
    await office.store(random_visits(Random(6), NOW, 3, 20))
    answer = await office.client.get(f"/overview/{name}.csv", params=EVER)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment")
    rows = table(answer.text)
    assert all(len(row) == len(rows[0]) for row in rows)
    auditor = await office.app.client(await office.app.person(office.source.tenant, RoleName.AUDITOR))
    assert (await auditor.get("/overview", params=EVER)).status_code == 200
    assert (await auditor.get(f"/overview/{name}.csv", params=EVER)).status_code == 403


async def test_the_page_links_each_number_and_draws_every_chart_with_its_table(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    await office.store(random_visits(Random(7), NOW, 3, 40))
    shown = ""
    for name in CARDS:
        card = await office.client.get(f"/overview/parts/{name}", params=EVER)
        assert card.status_code == 200, card.text
        shown += card.text
    assert shown.count("data-chart ") == 10
    links = {unescape(link) for link in re.findall(r'href="(/(?:overview|sessions|events)[^"]*)"', shown)}
    assert len(links) > 20
    for link in Random(8).sample(sorted(links), 25):
        assert (await office.client.get(link)).status_code == 200, link


@pytest.mark.parametrize(
    "query",
    [
        "period=decade",
        "start_date=2025-06-20&end_date=2025-06-10",
        "start_date=1999-01-01",
        "start_date=soon",
        "start_date=2001-01-01&end_date=2020-01-01",
        "end_date=9999-12-31",
    ],
)
async def test_a_period_or_filter_that_makes_no_sense_is_a_4xx(make_app: MakeApp, query: str) -> None:
    office = await open_office(make_app)
    for path in ("/api/overview", "/overview"):
        assert 400 <= (await office.client.get(f"{path}?{query}")).status_code < 500, path


async def test_a_date_as_the_end_includes_that_day(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    visit = replace(random_visits(Random(8), NOW, 1, 1)[0], is_bot=False, started_at=NOW, ended_at=NOW)
    await office.store(
        [replace(visit, started_at=NOW + timedelta(hours=11, minutes=29), ended_at=NOW + timedelta(hours=12))]
    )
    day = {"start_date": "2025-06-15", "end_date": "2025-06-15"}
    assert (await office.get("", **day))["total_sessions"] == 1
    assert (await office.get("", start_date="2025-06-16", end_date="2025-06-16"))["total_sessions"] == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/overview/sessions?period=7d&device=mobile&after=abc", "/sessions?period=7d&device=mobile"),
        ("/overview/events?event_name=page_view&page=%2Fa", "/events?event_name=page_view&page=%2Fa"),
        ("/overview/events", "/events"),
    ],
)
async def test_the_old_addresses_of_lists_lead_to_the_new_ones(make_app: MakeApp, old: str, new: str) -> None:
    office = await open_office(make_app)
    answer = await office.client.get(old)
    assert (answer.status_code, answer.headers["location"]) == (308, new)
