"""People, roles and joining in a real browser. Any console error fails the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from chatnation.plugins.dashboard.plugin import DashboardPlugin
from chatnation.plugins.sdk.plugin import SdkPlugin
from chatnation.testing.apps import MakeApp, Person, RunningApp
from tests.core.web.postbox import Postbox, kept_by

PASSWORD = "a password that is long"


@dataclass(frozen=True)
class Office:
    """A super_admin at the page People, and a second browser in which nobody is signed in."""

    app: RunningApp
    boss: Person
    page: Page
    other: Page
    url: str

    def link_path(self) -> str:
        """The path and query of the link in the newest mail."""
        return str(kept_by(self.app).mails[-1].values["link"]).partition("8000")[2]


@pytest.fixture
async def office(make_app: MakeApp, browser: Browser, browser_context: BrowserContext) -> AsyncIterator[Office]:
    app = await make_app(Postbox, SdkPlugin, DashboardPlugin)
    boss = await app.person((await app.source("Kenya Revenue Authority")).tenant)
    url = str((await app.network_client()).base_url).rstrip("/")
    page = await browser_context.new_page()
    await sign_in(page, url, boss.email, boss.password)
    elsewhere = await browser.new_context()
    elsewhere.set_default_timeout(15_000)
    yield Office(app, boss, page, await elsewhere.new_page(), url)
    await elsewhere.close()


async def sign_in(page: Page, url: str, email: str, password: str) -> None:
    await page.goto(f"{url}/login?next=/settings/people")
    await page.get_by_label("E-mail address").fill(email)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{url}/settings/**")


async def invite_with_the_keyboard(page: Page, email: str, role: str) -> None:
    await page.get_by_role("button", name="Invite somebody").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("E-mail address")).to_be_focused()
    await page.keyboard.type(email)
    await page.get_by_role("dialog").get_by_label("Role").select_option(role)
    await page.get_by_label("E-mail address").press("Enter")
    await expect(page.get_by_role("region", name="Invitations")).to_contain_text(email)


async def test_somebody_is_invited_joins_is_promoted_and_let_go(office: Office) -> None:
    await invite_with_the_keyboard(office.page, "new@example.org", "auditor")
    await office.other.goto(office.url + office.link_path())
    await expect(office.other.get_by_role("heading", level=1)).to_have_text("Join Kenya Revenue Authority")
    await office.other.get_by_label("Your name").fill("Wanjiru")
    await office.other.get_by_label("Password", exact=True).fill(PASSWORD)
    await office.other.get_by_role("button", name="Join").click()
    await expect(office.other.locator("summary", has_text="Account menu of Wanjiru")).to_be_visible()
    await office.other.goto(f"{office.url}/settings/password")
    await expect(office.other.get_by_role("navigation", name="Settings").get_by_text("People")).to_have_count(0)

    await office.page.reload()
    await office.page.get_by_role("button", name="Change Wanjiru").click()
    dialog = office.page.get_by_role("dialog", name="Wanjiru")
    await dialog.get_by_label("Role").select_option("admin")
    await dialog.get_by_role("button", name="Save").click()
    await expect(office.page.get_by_role("status")).to_contain_text("The role is changed")
    await office.other.reload()
    await office.other.get_by_role("navigation", name="Settings").get_by_text("People").click()
    await expect(office.other.get_by_role("heading", level=1)).to_have_text("People")

    await office.page.get_by_role("button", name="Change Wanjiru").click()
    await dialog.get_by_role("button", name="Deactivate").click()
    await expect(office.page.get_by_role("region", name="Members")).to_contain_text("deactivated")
    await office.other.reload()
    await expect(office.other.get_by_role("button", name="Sign in")).to_be_visible()


async def test_a_role_is_made_from_permissions_and_given(office: Office) -> None:
    await office.page.get_by_role("navigation", name="Settings").get_by_text("Roles").click()
    await office.page.get_by_role("link", name="New role").click()
    await office.page.get_by_label("Name").fill("Night shift")
    await office.page.get_by_role("checkbox", name="See dashboards and reports").check()
    await office.page.get_by_role("button", name="Make the role").click()
    await expect(office.page.get_by_role("link", name="Night shift", exact=True)).to_be_visible()
    await office.page.get_by_role("navigation", name="Settings").get_by_text("People").click()
    await invite_with_the_keyboard(office.page, "new@example.org", "Night shift")
    await expect(office.page.get_by_role("region", name="Invitations")).to_contain_text("Night shift")


async def test_a_forgotten_password_is_replaced_on_pages_alone(office: Office) -> None:
    page = office.other
    await page.goto(f"{office.url}/login")
    await page.get_by_role("link", name="Forgot your password?").click()
    await page.get_by_label("E-mail address").fill(office.boss.email)
    await page.get_by_role("button", name="Send the link").click()
    await expect(page.get_by_text("is on its way there")).to_be_visible()
    await office.app.run_jobs()
    await page.goto(office.url + office.link_path())
    await page.get_by_label("New password", exact=True).fill(PASSWORD)
    await page.get_by_label("New password, once more").fill(PASSWORD)
    await page.get_by_role("button", name="Change the password").click()
    await expect(page.locator("summary", has_text="Account menu of Somebody")).to_be_visible()
    await office.page.reload()
    await expect(office.page.get_by_role("button", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_settings_page_is_too_wide_for_a_phone(office: Office, scheme: str) -> None:
    await invite_with_the_keyboard(office.page, f"{'somebody.' * 6}else@department.example", "agent")
    await office.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await office.page.set_viewport_size({"width": 390, "height": 800})
    for path in ("/settings/people", "/settings/roles", "/settings/roles/new", "/settings/password", "/signup"):
        await office.page.goto(office.url + path)
        width = await office.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, path
