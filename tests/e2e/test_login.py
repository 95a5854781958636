"""Signing in with a second factor, and one's own account, in a real browser; a console error fails the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pyotp
import pytest
from playwright.async_api import BrowserContext, Page, expect

from chatnation.testing.apps import MakeApp, Person, RunningApp
from chatnation.testing.clock import FakeClock


@dataclass(frozen=True)
class Door:
    """A browser in front of a running instance."""

    app: RunningApp
    admin: Person
    page: Page
    url: str
    clock: FakeClock

    async def sign_in(self, path: str = "/settings/profile") -> None:
        await self.page.goto(f"{self.url}/login?next={path}")
        await self.page.get_by_label("E-mail address").fill(self.admin.email)
        await self.page.get_by_label("Password", exact=True).fill(self.admin.password)
        await self.page.keyboard.press("Enter")

    async def set_up_app(self) -> str:
        """From the page that offers it to the recovery codes; gives the app's secret."""
        await self.page.get_by_role("button", name="Authenticator app").click()
        await expect(self.page.get_by_role("img", name="QR code")).to_be_visible()
        secret = (await self.page.locator("#secret").text_content() or "").replace(" ", "")
        await self.page.get_by_label("Code", exact=True).fill(self.code(secret))
        await self.page.keyboard.press("Enter")
        await expect(self.page.get_by_role("heading", name="Recovery codes")).to_be_visible()
        return secret

    def code(self, secret: str) -> str:
        return pyotp.TOTP(secret).at(self.clock.now())


@pytest.fixture
async def door(make_app: MakeApp, browser_context: BrowserContext) -> AsyncIterator[Door]:
    clock = FakeClock()
    app = await make_app(clock=clock)
    admin = await app.person((await app.source("Tax app")).tenant)
    url = str((await app.network_client()).base_url).rstrip("/")
    page = await browser_context.new_page()
    yield Door(app, admin, page, url, clock)
    await page.close()


async def test_an_app_is_set_up_and_asked_for_with_the_keyboard_alone(door: Door) -> None:
    await door.sign_in()
    await expect(door.page.get_by_role("heading", name="Profile")).to_be_visible()
    await door.page.get_by_role("link", name="Set up").click()
    secret = await door.set_up_app()
    await door.page.get_by_role("link", name="I have kept them").click()
    await expect(door.page.get_by_text("Authenticator app", exact=True)).to_be_visible()
    await door.page.get_by_role("button", name="Sign out everywhere").click()
    await door.page.wait_for_url(f"{door.url}/login*")

    door.clock.move(timedelta(seconds=30))
    await door.sign_in()
    await expect(door.page.get_by_label("Code", exact=True)).to_be_focused()
    await door.page.keyboard.type(door.code(secret))
    await door.page.keyboard.press("Enter")
    await door.page.wait_for_url(f"{door.url}/settings/profile")


async def test_everybody_is_led_to_a_second_factor_once_the_tenant_asks_for_one(door: Door) -> None:
    await door.sign_in("/settings/security")
    await door.page.get_by_label("Everybody needs a second factor").check()
    await door.page.get_by_role("button", name="Save").click()
    await door.page.wait_for_url(f"{door.url}/login/set-up")
    await door.page.goto(f"{door.url}/overview")
    await door.page.wait_for_url(f"{door.url}/login/set-up")
    await door.set_up_app()
    await door.page.goto(f"{door.url}/settings/security")
    await expect(door.page.get_by_label("Everybody needs a second factor")).to_be_checked()


async def test_a_token_is_shown_once(door: Door) -> None:
    await door.sign_in()
    await door.page.get_by_text("Make a token for a program of yours").click()
    await door.page.get_by_label("What it is for").fill("Nightly report")
    await door.page.get_by_label("See dashboards and reports").check()
    await door.page.get_by_role("button", name="Make the token").click()
    await expect(door.page.locator("#new-token")).to_contain_text("cn_pat_")
    await door.page.goto(f"{door.url}/settings/profile")
    await expect(door.page.locator("#new-token")).to_have_count(0)
    await expect(door.page.get_by_role("button", name="Revoke Nightly report")).to_be_visible()
