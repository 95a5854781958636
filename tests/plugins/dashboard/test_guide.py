"""The page that the guide tells authors to write, written into a plugin, with numbers that were counted by hand."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from chatnation import App, Page, Plugin, hookimpl
from chatnation.plugins.dashboard.plugin import DashboardPlugin
from chatnation.plugins.sessions.plugin import SessionsPlugin
from chatnation.testing.apps import MakeApp, RunningApp, Source
from chatnation.testing.clock import FakeClock
from chatnation.testing.events import track

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "analytics-page.md"
NOW = datetime(2025, 6, 15, 9, 30, tzinfo=UTC)


def example() -> ModuleType:
    """The first code block of the guide, as a module."""
    code = re.search(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert code
    module = sys.modules["example_of_the_guide"] = ModuleType("example_of_the_guide")
    exec(compile(code[1], str(GUIDE), "exec"), module.__dict__)
    return module


class ReturnsPlugin(Plugin):
    """Returns

    Shows what the guide's example shows.
    """

    name = "returns"
    requires = ("dashboard",)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        return self._app

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        pages: list[Page] = example().ReturnPages(self.app).pages()
        return pages


@dataclass(frozen=True)
class Office:
    app: RunningApp
    source: Source
    client: httpx.AsyncClient

    async def table(self, address: str) -> list[list[str]]:
        answer = await self.client.get(address)
        assert answer.status_code == 200, answer.text
        return list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))


@pytest.fixture
async def office(make_app: MakeApp) -> Office:
    """Three returns begun, two filed: on the 13th within five minutes, and on the 14th after an hour."""
    app = await make_app(DashboardPlugin, SessionsPlugin, ReturnsPlugin, clock=FakeClock(NOW))
    source = await app.source("Tax app")
    events: list[Any] = []
    for visitor, day, minutes, kind in (("a", 13, 5, "mri"), ("b", 14, 60, "nil"), ("c", 14, None, "mri")):
        begun = datetime(2025, 6, day, 8, 15, tzinfo=UTC)
        events.append(track("filing_started", {"obligation_type": kind}, visitor=visitor, at=begun))
        if minutes is not None:
            filed = begun + timedelta(minutes=minutes)
            events.append(track("return_filed", {"obligation": kind}, visitor=visitor, at=filed))
    await app.ingest_and_drain(events, source)
    return Office(app, source, await app.client(await app.person(source.tenant)))


async def test_every_card_of_the_example_counts_right(office: Office) -> None:
    week = "period=7d"
    figures = await office.table(f"/returns/figures.csv?{week}")
    assert figures[1][:3] == ["Filed", "2", "0"]
    assert float(figures[2][1]) == pytest.approx(100 * 2 / 3)
    trend = await office.table(f"/returns/trend.csv?{week}")
    assert trend[0] == ["Day", "Begun", "Filed"]
    assert trend[5:7] == [["2025-06-13", "1", "1"], ["2025-06-14", "2", "1"]]
    compared = await office.table(f"/returns/trend.csv?{week}&compare=true")
    assert compared[0] == ["Day", "Begun", "Begun, before", "Filed", "Filed, before"]
    heat = await office.table(f"/returns/week.csv?{week}")
    assert heat[0][5:7] == ["Friday", "Saturday"]
    assert (heat[12][:1] + heat[12][5:7], heat[13][5:7]) == (["11:00", "1", "0"], ["0", "1"]), "in Nairobi, 3 hours on"
    speed = await office.table(f"/returns/speed.csv?{week}")
    assert [row[1] for row in speed[5:7]] == ["300", "3600"]
    assert speed[1][1] == ""
    table = await office.table(f"/returns/table.csv?{week}")
    assert sorted(table[1:]) == [["mri", "1", "1"], ["nil", "1", "1"]]


async def test_a_filter_narrows_every_card(office: Office) -> None:
    figures = await office.table("/returns/figures.csv?period=7d&journey=nil")
    assert [row[1] for row in figures[1:]] == ["1", "100"]
    assert len(await office.table("/returns/table.csv?period=7d&journey=nil")) == 2
    none = await office.table("/returns/figures.csv?period=7d&country=KE")
    assert none[2][1] == "", "nothing to divide by is not zero"


async def test_every_card_is_shown(office: Office) -> None:
    for card in ("figures", "trend", "countries", "week", "speed", "table"):
        part = await office.client.get(f"/returns/parts/{card}?period=7d")
        assert part.status_code == 200, card
        assert "could not be shown" not in part.text
        assert f'id="card-{card}"' in part.text


async def test_the_menu_of_filters_offers_the_values_that_occur(office: Office) -> None:
    page = (await office.client.get("/returns?period=7d&journey=vat")).text.replace("&amp;", "&")
    offers = re.findall(r'hx-get="(/analytics/filter-values[^"]+)"', page)
    journeys = next(offer for offer in offers if "filter=journey" in offer)
    menu = (await office.client.get(journeys)).text
    assert re.findall(r'name="journey" value="(\w+)"( checked)?', menu) == [
        ("mri", ""), ("nil", ""), ("vat", " checked"),
    ]  # fmt: skip
    assert 'name="period" value="7d"' in menu
    assert 'action="/returns"' in menu
    for wrong in ("filter=age&back=/returns", "filter=journey&back=//evil.example", "filter=journey"):
        assert (await office.client.get(f"/analytics/filter-values?{wrong}")).status_code == 422
