"""Insights: what is built on the page is what is asked, and what is shown is what a recount says."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from chatnation.testing import FakeClock, MakeApp
from tests.plugins.insights.conftest import NOW, Filled


async def table(client: httpx.AsyncClient, **parameters: Any) -> list[list[str]]:
    """The rows behind the chart of an insight, without the header."""
    answer = await client.get("/insights/answer.csv", params=parameters)
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))[1:]


async def test_a_trend_counts_each_event_by_day(filled: Filled) -> None:
    _, _, client = filled
    rows = await table(client, event=["filing_started", "return_filed"], period="7d")
    assert [[row[0], *map(float, row[1:])] for row in rows] == [[f"2025-06-{day:02}", 6, 6] for day in range(9, 16)]


async def test_a_measure_of_a_field_and_a_condition_narrow_what_is_told(filled: Filled) -> None:
    _, _, client = filled
    asked = {"event": "return_filed", "measure": "sum", "property": "properties.amount", "period": "7d"}
    rows = await table(client, **asked, where="properties.amount >= 200")
    assert {float(row[1]) for row in rows} == {2 * 200 + 3 * 300}


async def test_a_formula_relates_two_events(filled: Filled) -> None:
    _, _, client = filled
    asked = {"event": ["filing_started", "return_filed"], "formula": "{return_filed} / {filing_started}"}
    rows = await table(client, **asked, period="7d")
    assert {float(row[-1]) for row in rows} == {1.0}


async def test_a_breakdown_ranks_values(filled: Filled) -> None:
    _, _, client = filled
    rows = await table(client, kind="breakdown", event="return_filed", by="properties.obligation", measure="persons")
    assert {row[0]: float(row[1]) for row in rows} == {"tot": 1, "nil": 1, "mri": 1}


async def test_time_between_events_is_told(filled: Filled) -> None:
    _, _, client = filled
    rows = await table(client, kind="intervals", event="filing_started", end="return_filed", period="7d")
    assert all(0 < float(row[1]) <= 300 for row in rows)


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "distribution", "property": "properties.amount"},
        {"kind": "retention", "event": "filing_started", "end": "return_filed"},
        {"kind": "lifecycle", "period_of": "day"},
        {"kind": "stickiness", "period_of": "day"},
        {"kind": "paths", "event": "filing_started"},
        {"kind": "outcomes", "event": "filing_started", "end": "return_filed"},
        {"kind": "trend", "event": "return_filed", "by": "properties.obligation", "compare": "true"},
        {"kind": "trend", "measure": "new_persons", "granularity": "week"},
    ],
    ids=lambda asked: asked["kind"],
)
async def test_every_kind_of_question_has_a_chart_and_an_address_for_programs(
    filled: Filled, asked: dict[str, str]
) -> None:
    app, _, client = filled
    page = (await client.get("/insights", params=asked, headers={"Accept": "text/html"})).text
    part = (await client.get("/insights/parts/answer", params=asked)).text
    assert "data-chart-canvas" in part, part
    assert not app.app.boundary.failures
    (link,) = re.findall(r'href="(/api/query\?q=[^"]+)"', page)
    answer = await client.get(html.unescape(link))
    assert answer.status_code == 200, answer.text
    question = json.loads(parse_qs(urlsplit(html.unescape(link)).query)["q"][0])
    asked_kind = {"trend": "timeseries"}.get(asked["kind"], asked["kind"])
    assert question.get("kind", asked_kind) == asked_kind


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"kind": "distribution"}, "Name the number"),
        ({"kind": "intervals", "event": "a"}, "the one that it leads to"),
        ({"measure": "sum"}, "Name the field"),
        ({"where": "amount"}, "is no condition"),
        ({"where": "properties.amount > many"}, "needs a number"),
        ({"by": "colour"}, "no field"),
        ({"event": ["a", "b"], "formula": "{a} / {c}"}, "c"),
    ],
)
async def test_what_a_question_lacks_is_said_beside_the_form(filled: Filled, asked: dict[str, Any], says: str) -> None:
    _, _, client = filled
    page = await client.get("/insights", params=asked, headers={"Accept": "text/html"})
    assert page.status_code == 200
    part = await client.get("/insights/parts/answer", params=asked)
    assert part.status_code == 422
    assert says in html.unescape(part.text)


async def test_an_unknown_kind_is_refused(filled: Filled) -> None:
    _, _, client = filled
    assert (await client.get("/insights", params={"kind": "magic"})).status_code == 422


async def test_without_events_the_page_says_so(make_app: MakeApp) -> None:
    app = await make_app(clock=FakeClock(NOW))
    client = await app.client(await app.person((await app.source()).tenant))
    assert "No data" in (await client.get("/insights/parts/answer")).text
