"""Every kind of chart in a real browser, with and without data, in light and dark, wide and narrow.

With CHATNATION_TEST_SCREENSHOTS set to a folder, a picture of each page is put there, to be looked at.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, expect

from chatnation.core.web.cookies import SESSION_COOKIE
from chatnation.plugins.dashboard.plugin import DashboardPlugin
from chatnation.testing.apps import MakeApp, RunningApp
from tests.plugins.dashboard.gallery import GalleryPlugin, emptied, filled, zeroed

WIDE, NARROW = (1280, 900), (390, 844)
SLICE = 1500
"""Pixels in height of one picture."""


@dataclass(frozen=True)
class Visit:
    """A browser that is signed in to a running instance with the gallery."""

    app: RunningApp
    gallery: GalleryPlugin
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
    yield Visit(app, record.plugin, page, url)
    await page.close()


async def picture(page: Page, name: str) -> None:
    folder = os.environ.get("CHATNATION_TEST_SCREENSHOTS")
    if not folder:
        return
    width, height = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    for part, top in enumerate(range(0, height, SLICE)):
        clip = {"x": 0, "y": top, "width": width, "height": min(SLICE, height - top)}
        await page.screenshot(path=Path(folder) / f"{name}-{part}.png", full_page=True, clip=clip)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
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
