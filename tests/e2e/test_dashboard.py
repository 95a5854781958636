"""The dashboard in a real browser. Any console error fails the test, a refused inline style or script included."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import BrowserContext, Page, expect

from chatnation.testing.apps import MakeApp, Person, RunningApp, Source
from chatnation.testing.events import page_view


@dataclass(frozen=True)
class Visit:
    """A browser that is signed in to a running instance."""

    app: RunningApp
    source: Source
    admin: Person
    page: Page
    url: str


@pytest.fixture
async def visit(make_app: MakeApp, browser_context: BrowserContext) -> AsyncIterator[Visit]:
    app = await make_app()
    source = await app.source("Tax app")
    admin = await app.person(source.tenant)
    url = str((await app.network_client()).base_url).rstrip("/")
    page = await browser_context.new_page()
    await page.goto(f"{url}/login?next=/overview")
    await page.get_by_label("E-mail address").fill(admin.email)
    await page.get_by_label("Password", exact=True).fill(admin.password)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{url}/overview")
    yield Visit(app, source, admin, page, url)
    await page.close()


async def test_a_first_event_turns_the_setup_page_green_without_a_reload(visit: Visit) -> None:
    await visit.page.goto(f"{visit.url}/setup")
    await expect(visit.page.get_by_text("Waiting for your first event")).to_be_visible()
    await visit.app.ingest_and_drain([page_view("/start")], visit.source)
    await expect(visit.page.get_by_text("Events arrive")).to_be_visible()
    await expect(visit.page.get_by_text("Waiting for your first event")).to_be_hidden()
    await expect(visit.page.locator("[data-wait-field=event_name]")).to_have_text("page_view")


async def test_the_live_counter_counts_while_one_looks(visit: Visit) -> None:
    events = visit.page.locator("[data-live-field=events_last_minute]")
    await expect(visit.page.locator("[data-live]")).to_have_attribute("data-live-state", "connected")
    await expect(events).to_have_text("0")
    await visit.app.ingest_and_drain([page_view("/start") for _ in range(7)], visit.source)
    await expect(events).to_have_text("7")
    await expect(visit.page.locator("[data-live-field=active_now]")).to_have_text("7")


async def test_a_chart_is_drawn_and_its_table_is_one_key_away(visit: Visit) -> None:
    await visit.app.ingest_and_drain([page_view("/start") for _ in range(3)], visit.source)
    await visit.page.reload()
    figure = visit.page.locator("#days")
    await expect(figure.locator("canvas")).to_be_visible()
    await expect(figure.locator("table")).to_be_hidden()
    await figure.get_by_role("button", name="Show Sessions over time as table").focus()
    await visit.page.keyboard.press("Enter")
    await expect(figure.locator("table")).to_be_visible()
    await expect(figure.locator("canvas")).to_be_hidden()
    await figure.locator("td a").first.click()
    await expect(visit.page.get_by_role("heading", level=1)).to_have_text("Sessions")
    await expect(visit.page.locator("tbody tr")).to_have_count(3)


async def test_top_pages_tell_their_sessions(visit: Visit) -> None:
    await visit.app.ingest_and_drain([page_view("/start") for _ in range(3)], visit.source)
    await visit.page.reload()
    await expect(visit.page.locator("#pages thead th")).to_have_text(["Page", "Views", "Sessions"])
    await expect(visit.page.locator("#pages canvas")).to_be_visible()


async def test_a_custom_period_is_chosen_with_the_keyboard_and_kept_in_the_address(visit: Visit) -> None:
    opener = visit.page.locator("details:has(#period-from) > summary")
    await opener.focus()
    await visit.page.keyboard.press("Enter")
    await visit.page.get_by_label("From").fill("2025-06-01")
    await visit.page.get_by_label("To, that day included").fill("2025-06-30")
    await visit.page.keyboard.press("Enter")
    await visit.page.wait_for_url("**/overview?start_date=2025-06-01&end_date=2025-06-30")
    await expect(opener).to_contain_text("30 Jun 2025")
    await opener.press("Enter")
    await visit.page.keyboard.press("Escape")
    await expect(visit.page.get_by_label("From")).to_be_hidden()
    await expect(opener).to_be_focused()


async def test_colours_and_menu_are_remembered(visit: Visit) -> None:
    root = visit.page.locator("html")
    await visit.page.emulate_media(color_scheme="dark")
    await expect(root).to_have_attribute("data-bs-theme", "dark")
    await visit.page.get_by_role("button", name="Dark colours").click()
    await visit.page.get_by_role("button", name="Fold or unfold the menu").click()
    await visit.page.reload()
    await expect(root).to_have_attribute("data-bs-theme", "light")
    await expect(root).to_have_attribute("data-bs-sidebar", "folded")


async def test_on_a_phone_the_menu_is_behind_a_button_and_no_page_is_too_wide(visit: Visit) -> None:
    await visit.app.ingest_and_drain(
        [page_view("/a/rather/long/path/that/does/not/break") for _ in range(3)], visit.source
    )
    await visit.page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/overview", "/sessions", "/setup", "/settings/ingestion", "/settings/plugins", "/journey"):
        await visit.page.goto(f"{visit.url}{path}")
        width = await visit.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, path
    link = visit.page.get_by_role("link", name="Overview")
    await expect(link).to_be_hidden()
    await visit.page.get_by_role("button", name="Menu", exact=True).click()
    await expect(link).to_be_visible()
    await visit.page.keyboard.press("Escape")
    await expect(link).to_be_hidden()


async def test_revoking_a_key_asks_first(visit: Visit) -> None:
    await visit.page.goto(f"{visit.url}/setup")
    await visit.page.get_by_role("button", name="Revoke").first.click()
    dialog = visit.page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    await visit.page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await visit.page.get_by_role("button", name="Revoke").first.click()
    await dialog.get_by_role("button", name="Revoke").click()
    await expect(visit.page.get_by_role("status").filter(has_text="is revoked")).to_be_visible()


async def test_a_person_is_found_from_the_list_of_those_seen_lately(visit: Visit) -> None:
    await visit.app.ingest_and_drain([page_view("/start"), page_view("/help")], visit.source)
    await visit.page.goto(f"{visit.url}/journey")
    await expect(visit.page.locator("tbody tr")).to_have_count(2)
    link = visit.page.locator("tbody a").first
    name = await link.inner_text()
    await link.focus()
    await visit.page.keyboard.press("Enter")
    await expect(visit.page.get_by_role("heading", level=1)).to_have_text(name)


async def test_every_page_begins_with_a_way_to_skip_to_its_content_and_names_its_tables(visit: Visit) -> None:
    await visit.app.ingest_and_drain([page_view("/start") for _ in range(3)], visit.source)
    for path in ("/overview", "/sessions", "/events", "/journey", "/setup", "/settings/ingestion"):
        await visit.page.goto(f"{visit.url}{path}")
        await visit.page.keyboard.press("Tab")
        skip = visit.page.get_by_role("link", name="Skip to content")
        await expect(skip).to_be_focused()
        await visit.page.keyboard.press("Enter")
        await expect(visit.page.locator("main")).to_be_focused()
        assert await visit.page.locator("table:not(:has(caption))").count() == 0, path
        unnamed = "input:not([type=hidden]):not([aria-label]), select:not([aria-label])"
        for field in await visit.page.locator(unnamed).all():
            assert await field.evaluate("field => field.labels.length"), path
