"""Numbers of an insight lead to the rows behind them: as many as the number says."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.plugins.insights.conftest import Filled
from tests.plugins.recounting import events_behind

BY_DAY = {"period_of": "day", "period": "7d"}
LISTED: list[tuple[dict[str, Any], dict[str, Any], int]] = [
    ({"kind": "retention", **BY_DAY}, {"cohort": "2025-06-10", "outcome": "began"}, 0),
    ({"kind": "lifecycle", **BY_DAY}, {"bucket": "2025-06-12", "state": "returning"}, 3),
    ({"kind": "lifecycle", **BY_DAY}, {"bucket": "2025-06-12", "state": "dormant"}, 0),
    ({"kind": "stickiness", **BY_DAY}, {"periods": 7}, 3),
    ({"kind": "paths", "period": "today"}, {"at": {"column": 0, "value": "filing_started"}}, 3),
]


@pytest.mark.parametrize(("asked", "place", "expected"), LISTED)
async def test_a_list_has_those_whom_the_number_counts(
    filled: Filled, asked: dict[str, Any], place: dict[str, Any], expected: int
) -> None:
    _, _, client = filled
    parameters = {**asked, "behind": json.dumps(place)}

    answer = await client.get("/insights/people.csv", params=parameters)
    shown = await client.get("/insights/parts/people", params=parameters)

    assert answer.status_code == 200, answer.text
    assert len(list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))) == expected + 1
    assert f"{expected} " in shown.text


@pytest.mark.parametrize("kind", ["retention", "lifecycle", "stickiness", "paths"])
async def test_every_number_of_people_leads_to_as_many(filled: Filled, kind: str) -> None:
    _, _, client = filled
    # All of them began ten days ago.
    period = "30d" if kind == "retention" else "7d"
    asked = {"kind": kind, "period_of": "day", "period": period}
    part = (await client.get("/insights/parts/answer", params=asked)).text

    links = re.findall(r'<a[^>]+href="([^"]*behind=[^"]*)"[^>]*>\s*([\d,]+)\s*</a>', part)

    assert links, part
    for link, number in links:
        answer = await client.get("/insights/people.csv", params=parse_qs(urlsplit(html.unescape(link)).query))
        assert len(answer.text.strip().splitlines()) - 1 == int(number.replace(",", "")), link


@pytest.mark.parametrize("behind", ["{", "[]", "1", '{"cohort": 1}', '{"cohort": "2025-01-01"}', '{"column": 99}'])
async def test_a_place_that_there_is_not_is_refused(filled: Filled, behind: str) -> None:
    _, _, client = filled
    asked = {"kind": "retention", **BY_DAY, "behind": behind}
    assert (await client.get("/insights/parts/people", params=asked)).status_code == 422


async def test_a_breakdown_leads_to_the_events_of_a_value(filled: Filled) -> None:
    _, _, client = filled
    asked = {"kind": "breakdown", "event": "return_filed", "by": "properties.obligation", "period": "7d"}
    part = html.unescape((await client.get("/insights/parts/answer", params=asked)).text)

    links = {parse_qs(urlsplit(link).query)["properties.obligation"][0]: link for link in _event_links(part)}

    assert links.keys() == {"mri", "tot", "nil"}
    assert all(parse_qs(urlsplit(link).query)["event_name"] == ["return_filed"] for link in links.values())


@pytest.mark.parametrize("more", [{}, {"where": ["properties.amount > 100", "properties.obligation = tot | mri"]}])
@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "trend", "event": ["return_filed", "filing_started"]},
        {"kind": "trend", "by": "properties.obligation"},
        {"kind": "breakdown", "event": "return_filed", "by": "properties.amount"},
        {"kind": "distribution", "event": ["return_filed", "filing_started"], "property": "properties.amount"},
    ],
)
async def test_every_number_of_events_leads_to_as_many(
    filled: Filled, asked: dict[str, Any], more: dict[str, Any]
) -> None:
    _, _, client = filled
    part = (await client.get("/insights/parts/answer", params={"period": "7d", **asked, **more})).text

    assert await events_behind(client, part) > 0, part


def _event_links(part: str) -> list[str]:
    return re.findall(r'href="(/events\?[^"]+)"', part)
