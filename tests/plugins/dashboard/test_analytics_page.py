"""A page of cards: what is quick is in it, what is slow or broken stays alone, and everything can be downloaded."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

import httpx
import pytest

from chatnation.core.auth.permissions import RoleName
from chatnation.plugins.dashboard.plugin import DashboardPlugin
from chatnation.testing.apps import MakeApp, RunningApp, Source
from chatnation.testing.events import track
from tests.plugins.dashboard.gallery import GalleryPlugin, filled

HTML = {"Accept": "text/html"}


@dataclass(frozen=True)
class Hall:
    """A running instance with the gallery, and its admin at work."""

    app: RunningApp
    client: httpx.AsyncClient
    gallery: GalleryPlugin
    source: Source


@pytest.fixture
async def hall(make_app: MakeApp) -> Hall:
    app = await make_app(DashboardPlugin, GalleryPlugin)
    source = await app.source("Tax app")
    record = next(record for record in app.app.inventory.active() if record.name == "gallery")
    assert isinstance(record.plugin, GalleryPlugin)
    return Hall(app, await app.client(await app.person(source.tenant)), record.plugin, source)


def rows(answer: httpx.Response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))


async def test_every_kind_of_chart_is_drawn_with_its_table_and_its_download(hall: Hall) -> None:
    page = (await hall.client.get("/gallery")).text
    for name, chart in filled().items():
        assert page.count(f'id="{name}"') == 1
        download = await hall.client.get(f"/gallery/{name}.csv")
        assert download.headers["content-disposition"].startswith(f'attachment; filename="{name}-')
        table = rows(download)
        assert table[0] == list(chart.table.columns)
        assert len(table) == len(chart.table.rows) + 1
        assert all(len(row) == len(table[0]) for row in table)
    assert not re.search(r"\son\w+=|\sstyle=|<style", page)


async def test_empty_charts_say_so(hall: Hall) -> None:
    for name in filled():
        part = (await hall.client.get(f"/gallery/empty/parts/{name}")).text
        assert "Nothing was counted in this period." in part
        assert "application/json" not in part


async def test_a_page_without_anything_says_what_to_do_instead_of_each_card(hall: Hall) -> None:
    source = await hall.app.source("Other")
    admin = hall.client
    auditor = await hall.app.client(await hall.app.person(source.tenant, RoleName.AUDITOR))
    unconnected = (await admin.get("/gallery/nothing")).text
    assert "No events have come yet" in unconnected
    assert "Go to setup" in unconnected
    assert "card-bars" not in unconnected
    assert "Go to setup" not in (await auditor.get("/gallery/nothing")).text, "who may not go there is not sent there"

    await hall.app.ingest_and_drain([track("filing_started")], hall.source)
    filtered = (await admin.get("/gallery/nothing?period=90d&country=KE")).text
    assert "Nothing in this period with these filters" in filtered
    assert 'href="/gallery/nothing?period=90d">' in filtered
    unfiltered = (await admin.get("/gallery/nothing")).text
    assert 'href="/gallery/nothing?period=90d"' in unfiltered
    assert "Remove the filters" not in unfiltered
    assert "Nothing in this period" not in (await admin.get("/gallery")).text


async def test_a_slow_card_does_not_hold_the_page(hall: Hall) -> None:
    page = (await hall.client.get("/gallery/states")).text
    assert re.search(r'id="card-slow"[^>]*hx-trigger="load, cn:load"[^>]*aria-busy="true"', page)
    assert "12,345" in page
    hall.gallery.may_go_on.set()
    part = await hall.client.get("/gallery/states/parts/slow")
    assert part.status_code == 200
    assert re.search(r'id="card-slow"[^>]*hx-trigger="cn:load"', part.text)
    assert 'id="slow"' in part.text


async def test_a_broken_card_says_so_without_the_text_of_its_error_and_is_counted(hall: Hall) -> None:
    page = (await hall.client.get("/gallery/states")).text
    assert "a secret text" not in page
    assert "Ask for less time." in page
    part = await hall.client.get("/gallery/states/parts/broken")
    assert part.status_code == 500
    assert "Try again" in part.text
    assert "a secret text" not in part.text
    assert hall.app.app.boundary.failures["gallery", "card:/gallery/states/broken"] == 2
    assert (await hall.client.get("/gallery/states/parts/refused")).status_code == 422
    hall.gallery.mended = True
    assert (await hall.client.get("/gallery/states/parts/broken")).status_code == 200


async def test_who_lacks_a_permission_sees_why_a_card_is_missing(hall: Hall) -> None:
    hall.gallery.may_go_on.set()
    source = await hall.app.source("Other")
    for role, status in ((RoleName.SUPER_ADMIN, 200), (RoleName.ADMIN, 403)):
        client = await hall.app.client(await hall.app.person(source.tenant, role))
        assert (await client.get("/gallery/states/parts/secret")).status_code == status
        assert (await client.get("/gallery/states/secret.csv")).status_code == status
    assert "admin.danger_zone" in (await client.get("/gallery/states")).text


async def test_who_may_not_export_gets_no_link_to_a_download(hall: Hall) -> None:
    source = await hall.app.source("Other")
    client = await hall.app.client(await hall.app.person(source.tenant, RoleName.AUDITOR))
    assert ".csv" not in (await client.get("/gallery")).text
    assert (await client.get("/gallery/bars.csv")).status_code == 403
    assert (await client.get("/gallery/nothing.csv", headers=HTML)).status_code == 403


async def test_what_is_not_there_is_not_found(hall: Hall) -> None:
    assert (await hall.client.get("/gallery/parts/nothing")).status_code == 404
    assert (await hall.client.get("/gallery/nothing.csv")).status_code == 404
    assert (await hall.client.get("/gallery/states/part.csv")).status_code == 404


@pytest.mark.parametrize(
    "query", ["period=1y", "granularity=minute", "start_date=2025-02-30", "start_date=2025-02-01&end_date=2024-01-01"]
)
async def test_an_address_that_makes_no_sense_is_refused_in_words(hall: Hall, query: str) -> None:
    for path in ("/gallery", "/gallery/parts/bars", "/gallery/bars.csv"):
        assert (await hall.client.get(f"{path}?{query}", headers=HTML)).status_code == 422


async def test_a_table_is_sorted_and_paged_by_its_address_and_downloaded_whole(hall: Hall) -> None:
    def column(answer: httpx.Response, place: int) -> list[str]:
        body = answer.text.partition("<tbody>")[2].partition("</tbody>")[0]
        cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in body.split("<tr>")[1:]]
        return [re.sub(r"<[^>]+>", "", row[place]).strip() for row in cells]

    url = "/gallery/states/parts/table"
    first = await hall.client.get(url)
    assert column(first, 1) == sorted(column(first, 1), key=int, reverse=True)
    assert len(column(first, 1)) == 20
    assert 'aria-sort="descending"' in first.text
    scores = await hall.client.get(f"{url}?table_sort=score&table_page=3")
    assert column(scores, 3)[-1] == "–"  # noqa: RUF001
    assert "Page 3 of 3" in scores.text
    assert "Page 3 of 3" in (await hall.client.get(f"{url}?table_page=99")).text
    assert "Page 1 of 3" in (await hall.client.get(f"{url}?table_page=-1&table_sort=nothing")).text
    table = rows(await hall.client.get("/gallery/states/table.csv?table_page=2"))
    assert (table[0], len(table)) == (["agent", "resolved", "time", "score"], 46)


async def test_key_figures_are_downloaded_too(hall: Hall) -> None:
    table = rows(await hall.client.get("/gallery/states/figures.csv"))
    assert table[1] == ["Sessions", "12345", "11000", "12.2", "number"]
    assert table[-1] == ["Nothing", "", "", "", "number"]


async def test_controls_keep_everything_else_in_the_address(hall: Hall) -> None:
    query = "period=7d&granularity=day&compare=true&country=KE&country=unknown&channel=web&journey=mri"
    page = (await hall.client.get(f"/gallery?{query}")).text.replace("&amp;", "&")
    kept = "granularity=day&compare=true&country=KE&country=unknown&channel=web&journey=mri"
    assert f'href="/gallery?{kept}&period=90d"' in page
    assert 'href="/gallery?period=7d&granularity=day&country=KE&country=unknown&channel=web&journey=mri"' in page
    assert "Country: Kenya" in page
    assert "Country: Unknown" in page
    assert "Journey: MRI (no effect here)" in page
    assert f'href="/gallery?{query}"' in page, "the menu leads to other pages with the same period"
    assert 'type="hidden" name="country" value="KE"' in page
    assert 'href="/gallery/bars.csv?period=7d' in page
