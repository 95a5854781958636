"""The tracker in a real browser, against the product: what a visitor does is in the database, once, with everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Page
from sqlalchemy import text

from chatnation.core.identity.queries import resolve
from chatnation.plugins.sdk.api import loader_snippet
from chatnation.plugins.sdk.plugin import SdkPlugin
from chatnation.testing import MakeApp, RunningApp, Source, whatsapp_message

ALL_SENT = "!Object.keys(localStorage).some(key => key.startsWith('cn.q'))"


@dataclass(frozen=True, slots=True)
class Product:
    """A running app behind an address, and a project in it."""

    app: RunningApp
    url: str
    source: Source

    async def rows(self, columns: str = "*", of: str = "events") -> list[Any]:
        """What is stored, in the order of the visitor's doing."""
        await self.app.drain()
        async with self.app.app.storage.tenant(self.source.tenant.id) as connection:
            found = await connection.execute(text(f"SELECT {columns} FROM {of} ORDER BY timestamp, message_id"))
            return list(found)


@pytest.fixture
async def product(make_app: MakeApp, built_sdk: Any) -> Product:
    app = await make_app(SdkPlugin)
    client = await app.network_client()
    return Product(app, str(client.base_url), await app.source())


@pytest.fixture
def shop(product: Product, serve_site: Callable[[str], Any]) -> str:
    """A site on another origin, with the snippet that the product gives out."""
    return str(serve_site(loader_snippet(product.source.write_key, product.url, {"debug": True})).url)


async def sent(page: Page) -> None:
    await page.evaluate("chatnation.flush()")
    await page.wait_for_function(ALL_SENT)


async def loaded(page: Page) -> None:
    await page.wait_for_function("window.chatnation && chatnation.version")


async def test_a_click_becomes_a_row_with_everything_about_it(browser_page: Page, product: Product, shop: str):
    await browser_page.goto(shop + "/file?utm_source=sms&utm_campaign=june&hs_token=tok-1")
    await loaded(browser_page)
    await browser_page.evaluate(
        "chatnation.identify('A012345678Z', {name: 'Amina'});"
        "chatnation.track('filing_started', {obligation_type: 'mri', amount: 12.5}, {journeyStart: true});"
        "chatnation.track('return_filed', {}, {journeyEnd: true})"
    )
    ids = await browser_page.evaluate("chatnation.ids()")
    await sent(browser_page)

    view, identify, start, end = await product.rows(of="events_expanded")
    assert [row.event_name for row in (view, identify, start, end)] == [
        "page_view",
        "identify",
        "filing_started",
        "return_filed",
    ]
    assert [row.sequence for row in (view, identify, start, end)] == [1, 2, 3, 4]
    for row in (view, identify, start, end):
        assert (str(row.anonymous_id), str(row.session_id)) == (ids["anonymousId"], ids["sessionId"])
        assert (row.sdk_name, row.sdk_version) == ("chatnation-js", "1.0.0")
        assert row.handshake_token == "tok-1"
        assert row.message_id.version == 7
        assert row.page_path == "/file"
    assert view.page_title == "Page /file"
    assert view.page_url.startswith(shop + "/file?utm_source=sms")
    assert (view.user_id, identify.user_id) == (None, "A012345678Z")
    assert start.properties == {"obligation_type": "mri", "amount": 12.5}
    assert [row.journey_start for row in (identify, start, end)] == [False, True, False]
    assert [row.journey_end for row in (identify, start, end)] == [False, False, True]


async def test_what_is_sent_again_after_leaving_is_stored_once(browser_page: Page, product: Product, shop: str):
    await browser_page.clock.install()
    for page in range(3):
        await browser_page.goto(f"{shop}/{page}")
        await loaded(browser_page)
        await browser_page.evaluate("chatnation.track('seen')")
    await browser_page.clock.fast_forward(60_000)
    await sent(browser_page)
    rows = await product.rows("event_name, page_path, sequence")
    assert [(row.event_name, row.page_path) for row in rows] == [
        (name, f"/{page}") for page in range(3) for name in ("page_view", "seen")
    ]
    assert [row.sequence for row in rows] == [1, 2, 3, 4, 5, 6]


async def test_a_whatsapp_message_with_the_links_token_comes_from_the_visitor(
    browser_page: Page, product: Product, shop: str
):
    await browser_page.goto(shop)
    await loaded(browser_page)
    link = await browser_page.evaluate("chatnation.whatsappLink('254700000000', 'Hello')")
    await sent(browser_page)
    [message] = parse_qs(urlsplit(link).query)["text"]
    await product.app.ingest_and_drain([whatsapp_message("254712345678", message)], product.source)
    rows = await product.rows("channel_type, person_id, timestamp, message_id")
    assert {row.channel_type for row in rows} == {"web", "whatsapp"}
    assert len({row.person_id for row in rows}) == 2, "each event keeps the id it came with"
    tenant_id = product.source.tenant.id
    async with product.app.app.storage.tenant(tenant_id) as connection:
        persons = await resolve(connection, tenant_id, [row.person_id for row in rows])
    assert len(set(persons.values())) == 1


async def test_an_event_that_the_server_rejects_is_reported_and_costs_no_other(
    browser_page: Page, product: Product, shop: str
):
    await browser_page.goto("about:blank")
    await browser_page.goto(shop)
    await loaded(browser_page)
    said: list[str] = []
    browser_page.on("console", lambda message: said.append(message.text))
    await browser_page.evaluate("chatnation.track('x'.repeat(101)); chatnation.track('fine')")
    await sent(browser_page)
    assert [row.event_name for row in await product.rows("event_name, timestamp, message_id")] == ["page_view", "fine"]
    assert [line for line in said if "rejected" in line]


@pytest.mark.usefixtures("failing_requests")
async def test_a_key_that_is_not_known_is_reported(browser_page: Page, product: Product, serve_site: Any):
    site = serve_site(f'<script src="{product.url}/sdk.js"></script>')
    await browser_page.goto(site.url)
    await browser_page.evaluate(
        "window.losses = []; chatnation.init('wrong', {onError: loss => losses.push(loss)});"
        "chatnation.page(); chatnation.flush()"
    )
    await browser_page.wait_for_function("losses.length")
    [loss] = await browser_page.evaluate("losses")
    assert (loss["reason"], loss["status"]) == ("refused", 401)
    assert loss["detail"]["message"]
    assert await product.rows() == []


@pytest.mark.usefixtures("failing_requests")
async def test_the_servers_wish_to_wait_is_read_from_another_origin(
    browser_page: Page, make_app: MakeApp, built_sdk: Any, serve_site: Any
):
    app = await make_app(SdkPlugin, settings={"rate_limit_per_key": 1})
    client = await app.network_client()
    source = await app.source()
    site = serve_site(loader_snippet(source.write_key, str(client.base_url)))
    await browser_page.goto(site.url)
    await loaded(browser_page)
    async with browser_page.expect_response(lambda response: response.status == 429) as refusal:
        for _ in range(3):
            await browser_page.evaluate("chatnation.track('a'); chatnation.flush()")
    asked = int(await (await refusal.value).header_value("Retry-After") or 0)
    seen = await browser_page.evaluate(
        "url => fetch(url, {method: 'POST', body: '{}'}).then(answer => answer.headers.get('Retry-After'))",
        f"{client.base_url}/v1/capture?write_key={source.write_key}",
    )
    assert asked > 0
    assert seen is not None, "a script may read the header"
