"""Events, sessions and persons in a real browser."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from playwright.async_api import expect

from chatnation.testing.events import identify, page_view, track, whatsapp_message
from tests.e2e.axe import grave_findings
from tests.e2e.test_dashboard import Visit, visit

__all__ = ["visit"]


async def test_events_and_rejections_appear_by_themselves_unless_paused(visit: Visit) -> None:
    page, app = visit.page, visit.app
    await page.goto(f"{visit.url}/events?window=15")
    await expect(page.locator("[data-tail-status]")).to_have_text("as they come in")
    await app.ingest_and_drain([track("first_hello")], visit.source)
    rows = page.locator("#rows tbody tr")
    await expect(rows.filter(has_text="first_hello")).to_be_visible()
    await page.get_by_role("button", name="Pause").click()
    await app.ingest_and_drain([track("second_hello")], visit.source)
    await expect(page.locator("[data-tail-waiting]")).to_have_text("1 new")
    await expect(rows.filter(has_text="second_hello")).to_have_count(0)
    await page.get_by_role("button", name="Resume").click()
    await expect(rows.filter(has_text="second_hello")).to_be_visible()
    await app.capture([{"event_name": "", "event_type": "track"}], visit.source)
    rejected = page.locator("[data-tail-reject-list] li")
    await expect(rejected).to_have_count(1)
    await expect(rejected).to_contain_text("Tax app")


async def test_what_does_not_pass_the_filters_does_not_appear(visit: Visit) -> None:
    await visit.page.goto(f"{visit.url}/events?event_name=wanted")
    await expect(visit.page.locator("[data-tail-status]")).to_have_text("as they come in")
    await visit.app.ingest_and_drain([track("other"), track("wanted")], visit.source)
    await expect(visit.page.locator("#rows tbody tr")).to_have_count(1)
    await expect(visit.page.locator("#rows tbody tr")).to_contain_text("wanted")


async def test_an_event_opens_in_a_dialog_and_gives_the_focus_back(visit: Visit) -> None:
    await visit.app.ingest_and_drain([track("app_error", {"error_code": "E42", "deep": {"a": [1]}})], visit.source)
    await visit.page.goto(f"{visit.url}/events")
    link = visit.page.get_by_role("link", name="app_error", exact=True)
    await link.focus()
    await visit.page.keyboard.press("Enter")
    dialog = visit.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("E42")
    await dialog.get_by_text("Raw JSON").click()
    await expect(dialog.locator("pre")).to_contain_text('"error_code"')
    await visit.page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(link).to_be_focused()


async def test_a_search_for_persons_answers_while_one_types(visit: Visit) -> None:
    await visit.app.ingest_and_drain([identify("A001", {"name": "Wanjiru Kamau"}), identify("B001")], visit.source)
    await visit.page.goto(f"{visit.url}/journey")
    await visit.page.get_by_role("searchbox").press_sequentially("kamau")
    found = visit.page.get_by_role("link", name=re.compile("Wanjiru Kamau"))
    await found.first.click()
    await expect(visit.page.get_by_role("heading", level=1)).to_have_text("Wanjiru Kamau")


async def test_a_merge_is_undone_after_a_question(visit: Visit) -> None:
    visitor = str(uuid4())
    await visit.app.ingest_and_drain(
        [page_view("/a", visitor=visitor), identify("A001", visitor=visitor)], visit.source
    )
    await visit.page.goto(f"{visit.url}/journey?q=A001")
    await visit.page.get_by_role("button", name="Undo").click()
    dialog = visit.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Undo this merge?")
    await dialog.get_by_role("button", name="Split").click()
    await expect(visit.page.get_by_role("status").filter(has_text="The ids are split")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_no_page_has_a_grave_fault_for_those_who_cannot_see_well(visit: Visit, theme: str) -> None:
    phone, visitor = "254700000001", str(uuid4())
    web = {"visitor": visitor, "session": str(uuid4())}
    events = [page_view("/a", **web), identify(phone, {"name": "Wanjiru"}, **web), track("app_error", {"a": 1}, **web)]
    await visit.app.ingest_and_drain([*events, whatsapp_message(phone, "Habari")], visit.source)
    await visit.page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    faults = {}
    paths = ("/events", "/events/catalogue", "/events/explore?event_name=app_error&property=a", "/sessions")
    for path in (*paths, f"/sessions/{web['session']}", "/journey", f"/journey?q={phone}"):
        await visit.page.goto(f"{visit.url}{path}")
        await visit.page.wait_for_load_state("load")
        if found := await grave_findings(visit.page):
            faults[path] = found
        assert await visit.page.evaluate("document.documentElement.scrollWidth") <= 1300, path
    assert faults == {}
