"""The tax site among the examples, walked through in a real browser."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import anyio
import pytest
from playwright.async_api import Page, expect

from chatnation.plugins.sdk.api import HANDSHAKE_TOKEN

TAX_APP = Path(__file__).parents[2] / "examples" / "tax_app"
PAID = ["filing_started", "identify", "validation_success", "otp_success", "form_submitted", "return_filed"]
JOURNEYS = {
    "mri": [*PAID, "payment_initiated", "payment_success"],
    "tot": [*PAID, "payment_initiated", "payment_success"],
    "nil": PAID,
}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def tax_app(serve_http: Callable[..., Any], recorder: Any) -> str:
    server = serve_http(partial(_Quiet, directory=str(TAX_APP)))
    return f"{server.url}/?write_key=wk_test&server={recorder.url}"


async def events_of(page: Page, recorder: Any, last: str) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 30
    while last not in recorder.names():
        assert time.monotonic() < deadline, f"{last} did not arrive"
        await page.evaluate("chatnation.flush()")
        await anyio.sleep(0.02)
    return list(recorder.accepted)


@pytest.mark.parametrize("journey", JOURNEYS)
async def test_a_return_can_be_filed_and_every_step_is_recorded(
    browser_page: Page, tax_app: str, recorder: Any, journey: str
):
    page = browser_page
    await page.goto(tax_app)
    await page.click(f"[data-journey={journey}]")
    for button in ("Start", "Check my PIN", "Confirm", "Continue", "Submit the return"):
        await page.get_by_role("button", name=button, exact=True).click()
    if journey != "nil":
        await page.get_by_role("button", name="Pay now").click()
    await expect(page.get_by_role("heading", name="Done")).to_be_visible()

    expected = JOURNEYS[journey]
    events = await events_of(page, recorder, expected[-1])
    told = [event for event in events if event["event_name"] not in ("page_view", "button_click")]
    assert [event["event_name"] for event in told] == expected
    assert [event["event_name"] for event in told if event.get("journey_start")] == ["filing_started"]
    assert [event["event_name"] for event in told if event.get("journey_end")] == [expected[-1]]
    assert {event["properties"].get("step") for event in told} > {"start", "validation", "otp", "submit"}
    assert {event.get("user_id") for event in told[1:]} == {"A012345678Z"}
    viewed = [event["context"]["page"]["path"] for event in events if event["event_name"] == "page_view"]
    assert viewed[:3] == ["/", f"/#/{journey}/start", f"/#/{journey}/validation"]
    assert viewed[-1] == f"/#/{journey}/done"


async def test_a_wrong_entry_is_said_and_recorded(browser_page: Page, tax_app: str, recorder: Any):
    page = browser_page
    await page.goto(tax_app + "#/nil/start")
    await page.get_by_role("button", name="Start").click()
    await page.get_by_label("Tax PIN").fill("12")
    await page.get_by_role("button", name="Check my PIN").click()
    await expect(page.get_by_role("alert")).to_contain_text("That is not a PIN")
    errors = [e for e in await events_of(page, recorder, "app_error") if e["event_name"] == "app_error"]
    assert errors[0]["properties"]["error_code"] == "invalid_pin"


async def test_who_signs_out_is_forgotten(browser_page: Page, tax_app: str, recorder: Any):
    page = browser_page
    await page.goto(tax_app + "#/nil/start")
    await page.get_by_role("button", name="Start").click()
    await page.get_by_role("button", name="Check my PIN").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="File a return")).to_be_visible()
    await page.evaluate("chatnation.track('afterwards')")
    events = {event["event_name"]: event for event in await events_of(page, recorder, "afterwards")}
    assert events["validation_success"]["user_id"] == "A012345678Z"
    assert "user_id" not in events["afterwards"]
    assert events["afterwards"]["anonymous_id"] != events["validation_success"]["anonymous_id"]


async def test_the_whatsapp_button_carries_a_token(browser_page: Page, tax_app: str, recorder: Any):
    page = browser_page
    await page.goto(tax_app)
    await page.wait_for_function("chatnation.version")
    link = page.get_by_role("link", name="Ask on WhatsApp")
    await link.hover()
    await expect(link).to_have_attribute("href", re.compile("cn-"))
    token = HANDSHAKE_TOKEN.search(unquote(await link.get_attribute("href") or ""))
    assert token
    events = await events_of(page, recorder, "whatsapp_link_created")
    assert [e["context"]["handshakeToken"] for e in events if "handshakeToken" in e["context"]] == [token[0]]


async def test_a_visitor_may_object(browser_page: Page, tax_app: str, recorder: Any):
    page = browser_page
    await page.goto(tax_app)
    await page.wait_for_function("chatnation.version")
    await page.get_by_label("Record my visit").uncheck()
    before = len(recorder.received)
    await page.click("[data-journey=nil]")
    await page.get_by_role("button", name="Start").click()
    await page.evaluate("chatnation.flush()")
    assert len(recorder.received) == before
    assert await page.evaluate("({...localStorage})") == {"cn.c": "denied"}


async def test_without_a_key_it_asks_for_one(browser_page: Page, tax_app: str, recorder: Any):
    page = browser_page
    await page.goto(tax_app.partition("?")[0])
    await page.get_by_label("Address of the server").fill(recorder.url)
    await page.get_by_label("Write key").fill("wk_typed")
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_role("heading", name="File a return")).to_be_visible()
    await events_of(page, recorder, "page_view")
    assert recorder.received[0].body["write_key"] == "wk_typed"
