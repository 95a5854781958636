"""What every page tells browsers: no inline script or style, no frames, no address for other sites, TLS for good."""

from __future__ import annotations

import re

from chatnation.core.web.cookies import SESSION_COOKIE
from chatnation.testing.apps import MakeApp
from tests.acceptance.permission_table import NEEDED
from tests.acceptance.world import HTML, filled
from tests.plugins.bundled import bundled_plugins

INLINE = re.compile(
    r"<script(?![^>]*(?:\ssrc=|type=\"application/json\"))[^>]*>\s*\S|<style|\sstyle=|\son[a-z]+=|href=\"javascript:",
    re.IGNORECASE,
)
FILES = ("/media/", "/branding/")
"""Files, whose policy is stricter still or does not matter to them."""


async def test_every_page_has_safe_headers_and_nothing_inline(make_app: MakeApp) -> None:
    app = await make_app(*bundled_plugins())
    world = await filled(app, "Mine")
    client = await app.client(
        headers={"Accept": HTML, "Cookie": f"__Host-{SESSION_COOKIE}={await world.login(world.admin)}"}
    )
    client.base_url = "https://testserver"
    faults, seen = [], 0
    pages = sorted(path for method, path in NEEDED if method == "GET" and not path.startswith("/api/"))
    for template in [*pages, "/no-such-page", "/login", "/settings/no-such-page"]:
        client.cookies.clear()
        answer = await client.get(world.path(template))
        seen += answer.status_code == 200
        faults += [f"{template}: {fault}" for fault in _faults(answer.headers, template)]
        if answer.headers.get("content-type", "").startswith("text/html") and (found := INLINE.search(answer.text)):
            faults.append(f"{template}: inline {answer.text[max(found.start() - 40, 0) : found.end() + 40]!r}")
    assert seen > 25
    assert not faults, "\n".join(faults)


def _faults(headers: dict[str, str], template: str) -> list[str]:
    policy = dict(part.strip().partition(" ")[::2] for part in headers.get("content-security-policy", "").split(";"))
    faults = [f"{name} has {value}" for name, value in policy.items() if "unsafe" in value or "*" in value.split()]
    if policy.get("default-src") != "'none'":
        faults.append(f"the policy allows by default: {policy.get('default-src')}")
    if not template.startswith(FILES):
        if policy.get("frame-ancestors") != "'none'" or headers.get("x-frame-options") != "DENY":
            faults.append("other sites may frame it")
        if policy.get("script-src") != "'self'" or policy.get("style-src") != "'self'":
            faults.append("scripts or styles of others are allowed")
        if policy.get("form-action") != "'self'" or policy.get("base-uri") != "'none'":
            faults.append("forms may go elsewhere")
    if headers.get("x-content-type-options") != "nosniff":
        faults.append("its type may be guessed")
    if headers.get("referrer-policy") not in {"same-origin", "no-referrer", "strict-origin"}:
        faults.append("other sites are told its address")
    if "max-age=31536000" not in headers.get("strict-transport-security", ""):
        faults.append("browsers are not told to keep to TLS")
    if not template.startswith(FILES) and "no-store" not in headers.get("cache-control", ""):
        faults.append(f"it may be kept: {headers.get('cache-control')}")
    return faults


async def test_without_tls_nothing_promises_it(make_app: MakeApp) -> None:
    client = await (await make_app(*bundled_plugins())).client()
    assert "strict-transport-security" not in (await client.get("/login")).headers
