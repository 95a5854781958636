"""The settings of an organisation in a real browser. Any console error fails the test."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import BrowserContext, Page, expect

from chatnation.core.web.cookies import SESSION_COOKIE
from chatnation.testing.apps import MakeApp

PAGES = (
    "/settings/organisation",
    "/settings/projects",
    "/settings/keys",
    "/settings/navigation",
    "/settings/system-messages",
    "/settings/plugins",
    "/settings/plugins/sessions",
)


@dataclass(frozen=True)
class Desk:
    """A browser of somebody who runs the organisation."""

    page: Page
    url: str


@pytest.fixture
async def desk(make_app: MakeApp, browser_context: BrowserContext) -> AsyncIterator[Desk]:
    app = await make_app()
    source = await app.source("Revenue")
    admin = await app.person(source.tenant)
    url = str((await app.network_client()).base_url).rstrip("/")
    await browser_context.add_cookies([{"name": SESSION_COOKIE, "value": admin.token, "url": url}])
    page = await browser_context.new_page()
    yield Desk(page, url)
    await page.close()


async def test_no_page_is_too_wide_for_a_phone(desk: Desk) -> None:
    await desk.page.set_viewport_size({"width": 390, "height": 844})
    for path in PAGES:
        await desk.page.goto(f"{desk.url}{path}")
        await expect(desk.page.get_by_role("heading", level=1)).to_be_visible()
        wide = await desk.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wide, path


async def test_a_key_is_made_with_the_keyboard_and_a_refusal_opens_the_dialog_again(
    desk: Desk, expected_console_errors: list[str]
) -> None:
    expected_console_errors.append("422")
    page = desk.page
    await page.goto(f"{desk.url}/settings/keys")
    await page.get_by_role("button", name="New key").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Name")).to_be_focused()
    await page.keyboard.type("Kiosk")
    await page.get_by_text("Websites of a write key").click()
    await page.get_by_label("Only from").fill("nonsense")
    await page.get_by_role("button", name="Make the key").click()
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("is not an origin")
    await expect(page.get_by_label("Name")).to_have_value("Kiosk")
    await page.get_by_label("Only from").fill("https://kiosk.example.org")
    await page.get_by_role("button", name="Make the key").click()
    await expect(page.get_by_label("The new key")).to_have_value(re.compile(r"cn_write_\w{32}"))


async def test_a_colour_changes_buttons_at_once_under_the_strict_policy(desk: Desk) -> None:
    page = desk.page
    await page.goto(f"{desk.url}/settings/organisation")
    await page.get_by_role("checkbox", name="Our own").check()
    await page.locator("input[type=color]").fill("#aa0044")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("button", name="Save")).to_have_css("background-color", "rgb(170, 0, 68)")
