"""Every kind of chart in a real browser, with and without data, in light and dark, wide and narrow.

With CHATNATION_TEST_SCREENSHOTS set to a folder, a picture of each page is put there, to be looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, expect

from chatnation.core.web.cookies import SESSION_COOKIE
from chatnation.plugins.dashboard.plugin import DashboardPlugin
from chatnation.testing.apps import MakeApp, RunningApp, Source
from chatnation.testing.events import track
from tests.e2e.axe import AXE, grave_findings
from tests.plugins.dashboard.gallery import GalleryPlugin, emptied, filled, zeroed

WIDE, NARROW = (1280, 900), (390, 844)
SLICE = 1500
"""Pixels in height of one picture."""


@dataclass(frozen=True)
class Visit:
    """A browser that is signed in to a running instance with the gallery."""

    app: RunningApp
    gallery: GalleryPlugin
    source: Source
    page: Page
    url: str

    async def open(self, path: str) -> None:
        await self.page.goto(f"{self.url}{path}", wait_until="load")


@pytest.fixture
async def visit(make_app: MakeApp, browser_context: BrowserContext) -> AsyncIterator[Visit]:
    app = await make_app(DashboardPlugin, GalleryPlugin)
    source = await app.source("Tax app")
    admin = await app.person(source.tenant)
    url = str((await app.network_client()).base_url).rstrip("/")
    await browser_context.add_cookies([{"name": SESSION_COOKIE, "value": admin.token, "url": url}])
    page = await browser_context.new_page()
    await page.emulate_media(reduced_motion="reduce")
    record = next(record for record in app.app.inventory.active() if record.name == "gallery")
    assert isinstance(record.plugin, GalleryPlugin)
    yield Visit(app, record.plugin, source, page, url)
    record.plugin.may_go_on.set()
    await page.close()


async def picture(page: Page, name: str) -> None:
    folder = os.environ.get("CHATNATION_TEST_SCREENSHOTS")
    if not folder:
        return
    width, height = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    for part, top in enumerate(range(0, height, SLICE)):
        clip = {"x": 0, "y": top, "width": width, "height": min(SLICE, height - top)}
        await page.screenshot(path=Path(folder) / f"{name}-{part}.png", full_page=True, clip=clip)


@pytest.mark.parametrize(("scheme", "size"), [("light", WIDE), ("dark", NARROW)], ids=["light-wide", "dark-narrow"])
async def test_every_kind_of_chart_is_drawn(visit: Visit, scheme: str, size: tuple[int, int]) -> None:
    page = visit.page
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for path, charts in (("/gallery", filled()), ("/gallery/zero", zeroed()), ("/gallery/empty", emptied())):
        await visit.open(path)
        for name in charts:
            if path == "/gallery/empty":
                await expect(page.locator(f"#{name}")).to_contain_text("No data")
            else:
                await expect(page.locator(f"#{name} canvas").first).to_be_visible()
                assert await inked(page, name), f"{name} is blank"
        assert await page.evaluate("document.documentElement.scrollWidth") <= size[0], path
        await picture(page, f"charts{path.replace('/', '-')}-{scheme}-{size[0]}")


async def inked(page: Page, name: str) -> bool:
    """Whether anything is drawn on the canvases of a chart."""
    drawn: bool = await page.locator(f"#{name} canvas").evaluate_all(
        """canvases => canvases.some(canvas => {
            const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            return data.some((value, index) => index % 4 === 3 && value > 0);
        })"""
    )
    return drawn


async def test_states_of_cards(visit: Visit, expected_console_errors: list[str]) -> None:
    expected_console_errors.append(r"the server responded with a status of (500|422|403)")
    page = visit.page
    await visit.open("/gallery/states")
    await expect(page.locator("#card-slow")).to_have_attribute("aria-busy", "true")
    await picture(page, "states-light-1280")
    visit.gallery.may_go_on.set()
    await expect(page.locator("#card-slow canvas")).to_be_visible()
    await expect(page.locator("#card-slow")).not_to_have_attribute("aria-busy", "true")
    visit.gallery.mended = True
    await page.locator("#card-broken").get_by_role("button", name="Try again").click()
    await expect(page.locator("#card-broken canvas")).to_be_visible()
    await page.emulate_media(color_scheme="dark")
    await page.set_viewport_size({"width": 390, "height": 844})
    await picture(page, "states-dark-390")


needs_axe = pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: run `npm ci` in web/")


@needs_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_grave(visit: Visit, scheme: str, expected_console_errors: list[str]) -> None:
    expected_console_errors.append(r"the server responded with a status of (500|422|403)")
    page = visit.page
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    visit.gallery.may_go_on.set()
    for path in ("/gallery?country=KE&channel=web&journey=mri&compare=true", "/gallery/empty", "/gallery/states"):
        await visit.open(path)
        await expect(page.locator("[aria-busy=true]")).to_have_count(0)
        assert await grave_findings(page) == [], path
        if scheme == "dark":
            continue  # Tables are the same text as all the page.
        for button in await page.locator("[data-view=table]").all():
            await button.click()
        assert await grave_findings(page) == [], f"{path} as tables"


async def test_a_table_is_sorted_and_paged_without_leaving_the_page_and_with_the_keyboard(
    visit: Visit, expected_console_errors: list[str]
) -> None:
    expected_console_errors.append(r"the server responded with a status of (500|422|403)")
    page = visit.page
    await visit.open("/gallery/states")
    card = page.locator("#card-table")
    await card.get_by_role("link", name="Agent", exact=True).focus()
    await page.keyboard.press("Enter")
    await expect(card.locator("tbody th").first).to_have_text("Agent 00")
    await expect(card.get_by_role("columnheader", name="Agent")).to_have_attribute("aria-sort", "ascending")
    await expect(card.get_by_role("link", name="Agent", exact=True)).to_be_focused()
    await card.get_by_role("link", name="Next").click()
    await expect(card).to_contain_text("Page 2 of 3")
    await expect(card.locator("tbody th").first).to_have_text("Agent 20")


async def test_a_live_card_asks_again_only_while_somebody_looks(
    visit: Visit, expected_console_errors: list[str]
) -> None:
    expected_console_errors.append(r"the server responded with a status of (500|422|403)")
    page = visit.page
    await visit.open("/gallery/states")
    figure = page.locator("#card-live .cn-kpi-value")
    await expect(figure).to_have_text(re.compile("^(?![12]$)"))
    await figure.hover()
    before = int(await figure.inner_text())
    await page.mouse.move(0, 0)
    await expect(figure).not_to_have_text(str(before))
    await page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    asked = visit.gallery.asked
    await page.wait_for_function("new Promise(done => setTimeout(() => done(true), 2500))")
    assert visit.gallery.asked <= asked + 1


async def test_a_card_whose_server_is_away_offers_to_try_again(
    visit: Visit, failing_requests: None, browser_context: BrowserContext, expected_console_errors: list[str]
) -> None:
    expected_console_errors.append("Failed to fetch")
    page = visit.page
    await browser_context.route("**/parts/slow*", lambda route: route.abort())
    await visit.open("/gallery/states")
    card = page.locator("#card-slow")
    await expect(card).to_contain_text("This could not be loaded")
    await browser_context.unroute("**/parts/slow*")
    visit.gallery.may_go_on.set()
    await card.get_by_role("button", name="Try again").click()
    await expect(card.locator("canvas")).to_be_visible()


async def test_a_click_on_a_value_leads_to_the_rows_behind_it(visit: Visit) -> None:
    page = visit.page
    await visit.open("/gallery")
    links = {
        "bars": "day=", "lines": "day=", "funnel": "day=", "heatmap": "day=", "cohort": "cell=1-1", "sankey": "node=",
    }  # fmt: skip
    for name, link in links.items():
        canvas = page.locator(f"#{name} [data-chart-canvas]")
        await canvas.scroll_into_view_if_needed()
        box = await canvas.bounding_box()
        assert box
        spot = {
            "bars": (0.5, 0.9), "lines": (0.5, 0.6), "funnel": (0.35, 0.13), "heatmap": (0.6, 0.3),
            "cohort": (0.44, 0.25), "sankey": (10 / box["width"], 0.15),
        }[name]  # fmt: skip
        await page.mouse.click(box["x"] + spot[0] * box["width"], box["y"] + spot[1] * box["height"])
        await page.wait_for_url(f"**/gallery?{link}*")
        await page.go_back()


async def test_values_of_a_filter_are_chosen_and_removed_with_the_keyboard(visit: Visit) -> None:
    page = visit.page
    await visit.open("/gallery?period=7d&country=KE&country=UG")
    chips = page.get_by_role("group", name="Filters")
    await chips.get_by_role("link", name="Country: Uganda").focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/gallery?period=7d&country=KE")
    await expect(chips.get_by_role("link", name="Country: Kenya")).to_be_visible()
    await visit.app.ingest_and_drain([track("hello")], visit.source)
    await chips.locator("summary", has_text="More").press("Enter")
    await chips.locator("summary", has_text="Channel").press("Enter")
    await chips.get_by_label("Web").press("Space")
    await picture(page, "filter-menu")
    await chips.get_by_role("button", name="Apply").click()
    await page.wait_for_url("**/gallery?period=7d&country=KE&channel=web")


INSIDE = """
width => {
  const box = document.querySelector("details.cn-how[open] > .dropdown-menu")?.getBoundingClientRect();
  return box && box.left >= 0 && box.right <= width;
}
"""


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_no_definition_reaches_over_the_edge_of_the_window(visit: Visit, size: tuple[int, int]) -> None:
    page = visit.page
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await visit.open("/gallery/states")
    for number, opener in enumerate(await page.locator("details.cn-how > summary:visible").all()):
        await opener.focus()
        await page.keyboard.press("Enter")
        # It is put in its place after it opened.
        await page.wait_for_function(INSIDE, arg=size[0])
        if number == 1:
            await picture(page, f"definition-{size[0]}")
        await page.keyboard.press("Escape")
