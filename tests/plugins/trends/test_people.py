"""Every number of retention, lifecycle, stickiness and paths leads to the people that it counts, for whoever may."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from chatnation.core.auth.keys import KeyType, create_key
from chatnation.core.auth.permissions import RoleName
from chatnation.testing import identify
from chatnation.testing.apps import MakeApp
from tests.acceptance.world import signed_in
from tests.plugins.trends.conftest import NOW, Office, open_office
from tests.plugins.trends.oracle import Sent, random_history

EVER = {"start_date": "2025-02-24", "end_date": "2025-04-02", "granularity": "week"}
CARDS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("/trends/retention", "retention", {}),
    ("/trends/retention", "retention", {"rule": "on_or_after", "first_time": "false", "back": "help"}),
    ("/trends/lifecycle", "lifecycle", {}),
    ("/trends/lifecycle", "stickiness", {}),
    ("/trends/paths", "paths", {}),
    ("/trends/paths", "paths", {"towards": "true", "event": "help", "depth": "4"}),
    ("/trends/paths", "paths", {"node": "page_path"}),
)
LISTS: tuple[dict[str, Any], ...] = (
    {"kind": "retention_actors", "retention": {"granularity": "week"}, "outcome": "began"},
    {"kind": "lifecycle_actors", "lifecycle": {"granularity": "week"}, "bucket": "2025-03-24", "state": "returning"},
    {"kind": "stickiness_actors", "stickiness": {"granularity": "week"}, "periods": 5},
    {"kind": "paths_actors", "paths": {}, "at": {"column": 0, "value": "page_view"}},
)


def numbers(shown: str) -> Iterator[tuple[str, str]]:
    """The links of the table behind a chart that lead to lists, with the number that each is."""
    for link, number in re.findall(r'<a href="([^"]*)#card-people">([^<]*)</a>', shown):
        yield unescape(link), number.replace(",", "")


async def people(client: httpx.AsyncClient, link: str) -> list[str]:
    """The whole list that a link opens, by its download."""
    parts = urlsplit(link)
    answer = await client.get(f"{parts.path}/people.csv", params=parse_qsl(parts.query))
    assert answer.status_code == 200, answer.text
    rows = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline=""))
    return [row["person"] for row in rows]


def sample(links: list[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    return Random(len(links)).sample(links, min(count, len(links)))


def asked(question: dict[str, Any]) -> dict[str, Any]:
    """A list with the period of the question that it is about."""
    stretch = {"start_date": EVER["start_date"], "end_date": EVER["end_date"]}
    return {
        name: {**part, "range": stretch} if part in ({}, {"granularity": "week"}) else part
        for name, part in question.items()
    }


async def check_counts(office: Office, page: str, card: str, how: dict[str, str]) -> None:
    """Counts lead to lists that are as long."""
    shown = await office.page(f"{page}/parts/{card}", **EVER, **how)
    links = [(link, number) for link, number in numbers(shown) if re.fullmatch(r"-?\d+", number)]
    assert len(links) > 1, (page, card)
    for link, number in sample(links, 8):
        found = await people(office.client, link)
        assert len(found) == abs(int(number)), link
        path, _, query = link.partition("?")
        part = await office.client.get(f"{path}/parts/people?{query}")
        assert f">{len(found)} " in part.text, link
        if card != "paths":
            assert len(set(found)) == len(found), link


async def check_shares(office: Office, card: str) -> None:
    """A share leads to those who were back; those who were not are beside them, and both are those who began."""
    shown = await office.page(f"/trends/retention/parts/{card}", **EVER)
    cells = [(link, number) for link, number in numbers(shown) if number.endswith("%")]
    assert len(cells) > 3, card
    for link, share in sample(cells, 8):
        back = await people(office.client, link)
        lost = await people(office.client, link.replace("who=back", "who=lost"))
        assert 100 * len(back) / len(back + lost) == pytest.approx(float(share.removesuffix("%")), abs=0.06), link
        if "cohort=" in link:
            began = await people(office.client, link.replace("who=back", "who=began"))
            assert sorted(back + lost) == sorted(began), link


async def test_every_number_leads_to_a_list_that_is_as_long(make_app: MakeApp) -> None:
    office = await office_with_history(make_app)
    for page, card, how in CARDS:
        await check_counts(office, page, card, how)
    for card in ("retention", "average"):
        await check_shares(office, card)
    figures = await office.page("/trends/lifecycle/parts/figures", **EVER)
    kpis = list(numbers(figures))
    assert kpis
    for link, number in kpis:
        assert len(await people(office.client, link)) == int(number)


async def office_with_history(make_app: MakeApp) -> Office:
    office = await open_office(make_app)
    await office.send(random_history(Random(11), NOW, 36, 120))
    return office


async def test_a_list_tells_names_and_leads_to_timelines_a_page_at_a_time(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    visitors = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(1, 13)]
    await office.send(
        Sent(NOW - timedelta(hours=number), "help", visitor, visitor) for number, visitor in enumerate(visitors)
    )
    about = {"at": NOW - timedelta(minutes=5), "visitor": visitors[0]}
    await office.app.ingest_and_drain([identify("u1", {"name": "Wanjiku Kamau"}, **about)], office.source)

    shown = await office.page("/trends/lifecycle/parts/people", **EVER, state="new", since="2025-03-31")
    assert "Came for the first time ever in the week 31 Mar–6 Apr." in shown  # noqa: RUF001
    assert "Wanjiku Kamau</a>" in shown
    assert len(re.findall(r'href="/persons/[0-9a-f-]{36}"', shown)) == 10
    assert ">12 persons" in shown
    assert "1–10 of 12" in shown  # noqa: RUF001
    (following,) = re.findall(r'hx-get="([^"]*)"[^>]*>Next<', shown)
    rest = await office.client.get(unescape(following))
    persons = set(re.findall(r'href="(/persons/[0-9a-f-]{36})"', shown + rest.text))
    assert len(persons) == 12
    assert (await office.client.get(persons.pop(), headers={"Accept": "text/html"})).status_code == 200


async def check_stale(office: Office) -> None:
    """What is not shown any more opens no list."""
    for page, gone in (
        ("/trends/retention", {"who": "back", "cohort": "2024-01-01"}),
        ("/trends/retention", {"who": "back", "column": "60"}),
        ("/trends/lifecycle", {"state": "new", "since": "2024-01-01"}),
        ("/trends/paths", {"at": "0:never"}),
        ("/trends/paths", {"at": "0:help", "to": "5:help"}),
    ):
        assert "leads to the people" in await office.page(f"{page}/parts/people", **EVER, **gone), gone
        assert await office.page(f"{page}/people.csv", 404, **EVER, **gone)
    await office.page("/trends/paths", 422, at="first")


async def test_lists_are_of_ones_own_tenant_and_for_those_who_may_see_persons(make_app: MakeApp) -> None:
    office = await office_with_history(make_app)
    await check_stale(office)
    admin = await signed_in(office.app, office.admin)
    other = await signed_in(office.app, await office.app.person((await office.app.source("Another")).tenant))
    shown = await office.page("/trends/lifecycle/parts/stickiness", **EVER)
    for link, _ in sample(list(numbers(shown)), 2):
        assert await people(admin, link)
        assert await people(other, link) == []
    async with office.app.app.storage.system("a key for a test") as connection:
        made = await create_key(connection, office.source.tenant.id, "Report", KeyType.READ)
    reader = await office.app.client(headers={"Authorization": f"Bearer {made.secret}"})
    auditor = await signed_in(office.app, await office.app.person(office.source.tenant, RoleName.AUDITOR))
    for question in map(asked, LISTS):
        ours = (await admin.post("/api/query", json=question)).json()
        assert len(ours["actors"]) == min(50, ours["total"]) > 0, question
        assert (await auditor.post("/api/query", json=question)).json() == ours
        assert (await other.post("/api/query", json=question)).json() == {"actors": [], "total": 0}
        for path in ("/api/query", "/api/query/export"):
            answer = await reader.post(path, json=question)
            assert (answer.status_code, answer.json()["code"]) == (403, "names_persons"), question
    for path in ("parts/people", "people.csv"):
        answer = await reader.get(f"/trends/lifecycle/{path}", params={**EVER, "days": "1"})
        assert answer.status_code == 403, answer.text
        assert "persons.view" in answer.text
