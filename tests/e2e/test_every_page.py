"""Every page as a super admin sees it; an error in the console of the browser fails the test.

The console shows what the content security policy refuses, and requests that fail.
"""

from __future__ import annotations

from playwright.async_api import BrowserContext

from chatnation.core.web.cookies import SESSION_COOKIE
from chatnation.testing.apps import MakeApp
from tests.acceptance.permission_table import NEEDED
from tests.acceptance.world import filled
from tests.plugins.bundled import bundled_plugins

NOT_SHOWN = (
    "/api/", "/media/", "/branding/", "/settings/media/{", "/login/sso/",
    "/settings/danger-zone/export", "/analytics/filter-values", "/events/rows", "/funnel/offers", "/journey/found",
)  # fmt: skip
"""What no person looks at as a page: data, files, styles, parts of pages, and the way to an issuer."""


async def test_no_page_logs_an_error(
    make_app: MakeApp, browser_context: BrowserContext, expected_console_errors: list[str]
) -> None:
    app = await make_app(*bundled_plugins())
    world = await filled(app, "Mine")
    url = str((await app.network_client()).base_url).rstrip("/")
    await browser_context.add_cookies([{"name": SESSION_COOKIE, "value": world.admin.token, "url": url}])
    page = await browser_context.new_page()
    # A page that says that something is not there, such as a link of no invitation, is a failed request too.
    expected_console_errors.append(r"Failed to load resource: the server responded with a status of (400|404|409)")
    shown, broken = 0, []
    paths = sorted(
        path
        for method, path in NEEDED
        if method == "GET"
        and not path.startswith(NOT_SHOWN)
        and not path.endswith((".csv", ".json"))
        and "/parts/" not in path
    )
    for template in paths:
        answer = await page.goto(url + world.path(template), wait_until="load")
        assert answer is not None
        shown += answer.status == 200
        if answer.status >= 500 or not await page.locator("h1, h2").count():
            broken.append(f"{template}: {answer.status}, {await page.title()}")
    assert not broken
    assert shown > 25
    await page.close()
