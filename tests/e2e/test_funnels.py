"""Building a funnel in a real browser, by keyboard. Any console error fails the test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import BrowserContext, Page, expect

from chatnation.plugins.dashboard.plugin import DashboardPlugin
from chatnation.plugins.funnels.plugin import FunnelsPlugin
from chatnation.testing import track
from chatnation.testing.apps import MakeApp
from tests.e2e.axe import grave_findings


@dataclass(frozen=True)
class Desk:
    """A page of somebody who is signed in, where four began, three had a form, and two are done."""

    page: Page
    url: str


@pytest.fixture
async def desk(make_app: MakeApp, browser_context: BrowserContext) -> Desk:
    app = await make_app(DashboardPlugin, FunnelsPlugin)
    source = await app.source("Tax app")
    begin = datetime.now(UTC) - timedelta(days=10)
    for number, depth in enumerate((3, 3, 2, 1)):
        visitor = f"{number:08d}-0000-4000-8000-000000000000"
        events = [
            track(name, at=begin + timedelta(minutes=place), visitor=visitor)
            for place, name in enumerate(("begin", "form", "done")[:depth])
        ]
        await app.ingest_and_drain(events, source)
    boss = await app.person(source.tenant)
    url = str((await app.network_client()).base_url).rstrip("/")
    page = await browser_context.new_page()
    await page.goto(f"{url}/login?next=/funnel")
    await page.get_by_label("E-mail address").fill(boss.email)
    await page.get_by_label("Password", exact=True).fill(boss.password)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{url}/funnel?**")
    return Desk(page, url)


async def test_a_funnel_is_built_and_kept_with_the_keyboard(desk: Desk) -> None:
    page = desk.page
    await page.goto(f"{desk.url}/funnel?step=begin&step=form")
    await page.locator("summary", has_text="Change steps and options").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Add a step").focus()
    await expect(page.locator("#funnel-events option[value=done]")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page.locator("#event-2")).to_be_focused()
    await page.keyboard.type("done")
    await page.get_by_role("button", name="Move step 3 up").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#up-1")).to_be_focused()
    await expect(page.locator("#event-1")).to_have_value("done")
    await page.get_by_role("button", name="Move step 2 down").click()
    await expect(page.locator("#event-2")).to_have_value("done")
    await page.locator("#event-2").press("Enter")
    await page.wait_for_url("**/funnel?step=begin&step=form&step=done")
    await expect(page.locator("#card-table tbody tr").nth(2)).to_contain_text("50%")
    await page.locator("summary", has_text="Save").click()
    await page.get_by_label("Name").fill("Done at last")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**saved=**")
    await expect(page.get_by_role("heading", name="Done at last")).to_be_visible()


async def test_a_number_leads_to_people_and_one_of_them_to_their_way(desk: Desk) -> None:
    page = desk.page
    await page.goto(f"{desk.url}/funnel?step=begin&step=form&step=done")
    await page.get_by_role("link", name="See who").click()
    await expect(page.locator("#card-people tbody tr")).to_have_count(1)
    await page.locator("#people-outcome").select_option("reached")
    await page.get_by_role("button", name="List").click()
    await expect(page.locator("#card-people tbody tr")).not_to_have_count(1)
    await page.get_by_role("link", name="Their way").first.click()
    await expect(page.locator("#card-walk .cn-served").first).to_be_visible()
    assert await grave_findings(page) == []
