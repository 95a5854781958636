"""Every analytics page on made-up days in a real browser, as those see it who look at figures for a living."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain

import anyio
from playwright.async_api import BrowserContext, Page, expect
from sqlalchemy import text

from chatnation.core.auth.permissions import RoleName
from chatnation.core.demo.generator import TaxAuthority
from chatnation.core.demo.sender import Sender
from chatnation.core.web.cookies import SESSION_COOKIE
from chatnation.testing.apps import MakeApp, Person, RunningApp, Source
from tests.e2e.axe import grave_findings
from tests.plugins.bundled import bundled_plugins

PAGES = (
    "/overview", "/trends", "/trends/retention", "/trends/lifecycle", "/trends/paths", "/trends/errors",
    "/funnel?template=mri", "/journeys", "/whatsapp-analytics", "/ai-analytics", "/csat-analytics",
    "/events", "/events/catalogue", "/events/explore?event_name=page_view&property=journey", "/sessions",
    "/insights", "/definitions",
)  # fmt: skip
OF_PERSONS = ("/journey",)
"""Who answers persons may see these, also without a look at the figures."""

WIDTH = 1280
FEWEST_ENTRIES = 8


@dataclass(frozen=True)
class Office:
    """A running product with two days of a tax authority in it."""

    app: RunningApp
    source: Source
    url: str
    person_path: str


async def opened(make_app: MakeApp) -> Office:
    app = await make_app(*bundled_plugins())
    source = await app.source("Tax app")
    client = await app.network_client()
    now = datetime.now(UTC)
    facts = list(chain.from_iterable(TaxAuthority(visits_per_day=25).between(now - timedelta(days=2), now)))
    await Sender(client, str(client.base_url), source.write_key).send_all(facts, lambda _: None)
    await app.drain()
    async with app.app.storage.tenant(source.tenant.id) as connection:
        busiest = text("SELECT person_id FROM events GROUP BY person_id ORDER BY count(*) DESC LIMIT 1")
        person = await connection.scalar(busiest)
    return Office(app, source, str(client.base_url).rstrip("/"), f"/persons/{person}")


async def look_as(office: Office, context: BrowserContext, person: Person, scheme: str) -> Page:
    """A tab that is signed in as somebody; the tabs of a context share who they are."""
    await context.clear_cookies()
    await context.add_cookies([{"name": SESSION_COOKIE, "value": person.token, "url": office.url}])
    page = await context.new_page()
    await page.set_viewport_size({"width": WIDTH, "height": 900})
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    return page


async def faults_of(page: Page, url: str, *, axe: bool) -> list[str]:
    """What is wrong with a page once all of its cards have come."""
    answer = await page.goto(url, wait_until="load")
    assert answer is not None
    if answer.status != 200:
        return [f"status {answer.status}"]
    await expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=30_000)
    faults = [f"failed: {found}" for found in await page.locator("main [role=alert]").all_inner_texts()]
    width = await page.evaluate("document.documentElement.scrollWidth")
    faults += [f"{width} pixels wide"] if width > WIDTH else []
    return faults + (await grave_findings(page) if axe else [])


async def test_every_page_shows_all_of_its_cards_without_a_grave_fault(
    make_app: MakeApp, browser_context: BrowserContext
) -> None:
    office = await opened(make_app)
    faults: dict[tuple[str, str, str], list[str]] = {}
    for role in (RoleName.DEVELOPER, RoleName.AUDITOR):
        person = await office.app.person(office.source.tenant, role)

        async def walk(page: Page, scheme: str, role: RoleName = role) -> None:
            for path in (*PAGES, *OF_PERSONS, office.person_path):
                # Both are shown the same markup; to judge it once is enough.
                found = await faults_of(page, office.url + path, axe=role is RoleName.DEVELOPER)
                if found:
                    faults[path, role.value, scheme] = found

        tabs = {scheme: await look_as(office, browser_context, person, scheme) for scheme in ("light", "dark")}
        async with anyio.create_task_group() as tasks:
            for scheme, page in tabs.items():
                tasks.start_soon(walk, page, scheme)
        for page in tabs.values():
            await page.close()
    assert not faults, "\n".join(f"{place}: {found}" for place, found in faults.items())


async def test_an_agent_gets_no_figures_and_no_way_to_them(
    make_app: MakeApp, browser_context: BrowserContext, expected_console_errors: list[str]
) -> None:
    expected_console_errors.append("status of 403")
    office = await opened(make_app)
    paths = {path.partition("?")[0] for path in PAGES}
    links = "nav a[href], aside a[href], header a[href]"
    agent = await office.app.person(office.source.tenant, RoleName.AGENT)
    developer = await office.app.person(office.source.tenant, RoleName.DEVELOPER)
    for scheme in ("light", "dark"):
        page = await look_as(office, browser_context, developer, scheme)
        await page.goto(f"{office.url}/overview")
        shown = await page.locator(links).evaluate_all("all => all.map(link => new URL(link.href).pathname)")
        assert len(paths & set(shown)) >= FEWEST_ENTRIES, "the menu is looked for in the wrong place"
        await page.close()
        page = await look_as(office, browser_context, agent, scheme)
        for path in PAGES:
            answer = await page.goto(office.url + path)
            assert answer is not None
            assert answer.status == 403, path
        await page.goto(f"{office.url}/settings/profile")
        offered = await page.locator(links).evaluate_all("all => all.map(link => new URL(link.href).pathname)")
        assert not paths & set(offered)
        await page.close()
