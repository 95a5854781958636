"""The page of journeys: what it says, and where each of its numbers leads."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import timedelta
from random import Random

import pytest
from pydantic import ValidationError

from chatnation.core.auth.permissions import RoleName
from chatnation.plugins.journeys.counts import Journeys, half_change, in_words
from chatnation.plugins.journeys.labels import LABELS, Labels
from chatnation.plugins.journeys.settings import JourneysTenantSettings
from chatnation.testing import track
from tests.plugins.journeys.conftest import NOW, Office, random_history

CARDS = (
    *("figures", "outcomes", "self-serve", "rate", "journeys", "steps", "reasons", "time", "agents", "sums", "told"),
)


async def filled(office: Office) -> None:
    wires, _ = random_history(Random(5), 150)
    await office.app.ingest_and_drain(wires, office.source)


async def listed(office: Office, link: str) -> int:
    """How many journeys the list has to which an address of the page leads."""
    part = await office.client.get(link.replace("/journeys", "/journeys/parts/told", 1))
    assert part.status_code == 200, part.text
    (count,) = re.findall(r"([\d,]+) journeys?\s*<", part.text)
    return int(count.replace(",", ""))


async def test_every_card_shows_something_and_can_be_downloaded(office: Office) -> None:
    await filled(office)
    for card in CARDS:
        part = await office.client.get(f"/journeys/parts/{card}")
        assert (card, part.status_code) == (card, 200)
        assert "Nothing was counted" not in part.text
        download = await office.client.get(f"/journeys/{card}.csv")
        rows = list(csv.reader(io.StringIO(download.text.lstrip("\ufeff"))))
        assert len(rows) > 1, card
        assert len({len(row) for row in rows}) == 1


async def test_an_empty_organisation_is_told_so_and_nothing_breaks(office: Office) -> None:
    for card in CARDS:
        part = await office.client.get(f"/journeys/parts/{card}", params={"compare": "true"})
        assert (card, part.status_code) == (card, 200)
    assert "No journey began in this period." in (await office.client.get("/journeys/parts/outcomes")).text
    narrowed = (await office.client.get("/journeys/parts/told?outcome=completed")).text
    assert "No journey is in this list." in narrowed
    assert "/journeys/parts/told" in narrowed, "the list can be widened again"


async def test_key_figures_lead_to_the_journeys_behind_them(office: Office) -> None:
    await filled(office)
    told = await office.get("/overview", period="7d")
    figures = (await office.client.get("/journeys/parts/figures", params={"period": "7d"})).text
    links = [html.unescape(link) for link in re.findall(r'href="(/journeys\?[^"#]*)#card-told"', figures)]
    counts = [await listed(office, link) for link in links]
    assert counts == [
        told["total_journeys"], told["assisted_journeys"], told["completed_journeys"], told["abandoned_journeys"],
    ]  # fmt: skip


async def test_numbers_of_the_table_lead_to_the_journeys_of_that_name(office: Office) -> None:
    await filled(office)
    table = (await office.client.get("/journeys/parts/journeys")).text
    cells = re.findall(r'href="(/journeys\?[^"#]*name=[^"#]*)#card-told"[^>]*>\s*([\d,]+)\s*<', table)
    assert cells
    for link, count in cells:
        assert await listed(office, html.unescape(link)) == int(count), link


async def test_persons_are_named_only_to_those_who_may_see_them(office: Office) -> None:
    await filled(office)
    assert 'href="/persons/' in (await office.client.get("/journeys/parts/told")).text
    agent = await office.app.client(await office.app.person(office.source.tenant, RoleName.AGENT))
    assert (await agent.get("/journeys/parts/told")).status_code == 403


async def test_the_list_can_be_turned(office: Office) -> None:
    events = [
        track("filing_started", {"journey": f"J{number}"}, at=NOW - timedelta(hours=number + 1), journey_start=True)
        for number in range(13)
    ]
    await office.app.ingest_and_drain(events, office.source)
    pages = [(await office.client.get("/journeys/parts/told", params={"offset": offset})).text for offset in (0, 10)]
    names = [re.findall(r">(J\d+)<", page) for page in pages]
    assert names == [[f"J{number}" for number in range(10)], ["J10", "J11", "J12"]]
    assert "1–10 of 13" in pages[0]  # noqa: RUF001
    assert "Next" not in pages[1]


async def test_what_addresses_cannot_say_is_refused(office: Office) -> None:
    for wrong in ({"outcome": "lost"}, {"offset": "-1"}, {"granularity": "minute"}):
        assert (await office.client.get("/journeys", params=wrong)).status_code == 422


def test_lengths_of_time_are_short_words() -> None:
    assert [in_words(seconds) for seconds in (None, 0, 42, 60, 192, 3_600, 3_900, 90_000)] == [
        "", "0s", "42s", "1m", "3m 12s", "1h", "1h 5m", "1d 1h",
    ]  # fmt: skip


def test_the_change_of_a_rate_is_that_of_its_halves() -> None:
    first, second = Journeys(assisted=1, completed=3), Journeys(assisted=2, abandoned=2, in_progress=5)
    assert half_change([first, Journeys(), second, Journeys()]) == 100
    assert half_change([]) == half_change([first]) == 0


def test_names_without_a_label_are_readable() -> None:
    labels = Labels.of([])
    assert [labels.label(name) for name in ("user_request", "otp", "_", "Some thing")] == [
        "User request", "Otp", "_", "Some thing",
    ]  # fmt: skip


def test_labels_do_not_mind_how_names_are_written() -> None:
    labels = Labels.of(["mri = Monthly rental income", "otp=One-time code"])
    assert [labels.label(name) for name in ("MRI", "OTP", "nil_filing", "NIL-Filing", "TEMV", "unknown", "new")] == [
        "Monthly rental income", "One-time code", "NIL Filing", "NIL Filing", "Extend TIMV", "Other", "New",
    ]  # fmt: skip
    assert len(LABELS) == 38


@pytest.mark.parametrize("line", ["mri", "= Monthly", "mri ="])
def test_a_label_has_two_sides(line: str) -> None:
    with pytest.raises(ValidationError):
        JourneysTenantSettings(labels=(line,))
