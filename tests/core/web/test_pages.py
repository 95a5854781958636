"""Pages: who sees them, what is around them, how one signs in."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

from chatnation.core.web.cookies import SESSION_COOKIE
from chatnation.testing.apps import MakeApp
from chatnation.testing.clock import FakeClock
from tests.core.web.conftest import Street
from tests.core.web.shop import Shop

HTML = {"Accept": "text/html"}


def token_in(page: httpx.Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


async def test_a_page_is_escaped_framed_and_has_its_slots_filled(street: Street) -> None:
    page = await street.buyer.get("/corner/shop")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "<b>on sale</b>" in page.text
    assert "1,234,567.9" in page.text
    assert 'href="/corner/shop" aria-current="page">Window' in page.text


async def test_the_menu_shows_what_one_may_open(street: Street) -> None:
    assert 'href="/till"' in (await street.buyer.get("/corner/shop")).text
    agent = await street.agent()
    assert 'href="/till"' not in (await agent.get("/corner/shop")).text


async def test_every_answer_has_the_safe_headers(street: Street) -> None:
    for path in ("/corner/shop", "/api/corner/shop/things", "/nothing", "/login"):
        headers = (await street.stranger.get(path)).headers
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"


async def test_no_page_has_inline_script_or_style(street: Street) -> None:
    for path in ("/corner/shop", "/till", "/nothing"):
        text = (await street.buyer.get(path, headers=HTML)).text
        assert not re.search(r"\son\w+=|\sstyle=|<style|javascript:", text), path
        assert all('src="' in tag or 'type="application/json"' in tag for tag in re.findall(r"<script[^>]*>", text))


async def test_a_stranger_is_sent_to_the_login_page_and_back(street: Street) -> None:
    answer = await street.stranger.get("/till?a=1&b=2", headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Ftill%3Fa%3D1%26b%3D2")
    page = await street.stranger.get(answer.headers["location"])
    form = {"csrf_token": token_in(page), "next": "/till?a=1&b=2", "email": street.admin.email}
    wrong = await street.stranger.post("/login", data={**form, "password": "guess"})
    assert (wrong.status_code, "wrong" in wrong.text) == (401, True)
    right = await street.stranger.post("/login", data={**form, "password": street.admin.password})
    assert (right.status_code, right.headers["location"]) == (303, "/till?a=1&b=2")
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert (await street.stranger.get("/till")).status_code == 200


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil", ""]
)
async def test_signing_in_never_leads_to_another_site(street: Street, target: str) -> None:
    answer = await street.buyer.get("/login", params={"next": target})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_signing_out_ends_the_login_session(street: Street) -> None:
    form = {"csrf_token": token_in(await street.buyer.get("/till"))}
    answer = await street.buyer.post("/logout", data=form)
    assert answer.headers["location"] == "/login"
    again = await street.app.client(street.admin)
    assert (await again.get("/api/auth/me")).status_code == 401


async def test_an_error_page_for_people_says_no_more_than_a_problem(street: Street) -> None:
    missing = await street.buyer.get("/nothing", headers=HTML)
    assert (missing.status_code, missing.headers["content-type"]) == (404, "text/html; charset=utf-8")
    broken = await street.buyer.get("/corner/shop/broken", headers=HTML)
    assert broken.status_code == 500
    assert "hunter2" not in broken.text
    assert broken.headers["x-request-id"] in broken.text
    agent = await street.agent()
    forbidden = await agent.get("/till", headers=HTML)
    assert forbidden.status_code == 403


async def test_a_notice_is_shown_once_after_the_redirect(street: Street) -> None:
    form = {"csrf_token": token_in(await street.buyer.get("/till")), "sum": "<b>7</b>"}
    answer = await street.buyer.post("/till", data=form)
    assert answer.status_code == 303
    shown = await street.buyer.get("/till")
    assert "Paid &lt;b&gt;7&lt;/b&gt;." in shown.text
    assert "Paid" not in (await street.buyer.get("/till")).text


async def test_a_form_without_a_token_of_this_login_is_refused(street: Street) -> None:
    other = await street.app.client(await street.app.person(street.source.tenant))
    foreign = token_in(await other.get("/till"))
    own = token_in(await street.buyer.get("/till"))
    for token in ({}, {"csrf_token": ""}, {"csrf_token": "x" * 43}, {"csrf_token": foreign}):
        answer = await street.buyer.post("/till", data={**token, "sum": "7"})
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed"), token
    assert (await street.buyer.post("/till", data={"csrf_token": own, "sum": "7"})).status_code == 303


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "http://testserver"}, 303),
        ({"Origin": "https://shop.example"}, 303),
    ],
)
async def test_a_form_from_another_site_is_refused_even_with_a_token(
    make_app: MakeApp, headers: dict[str, str], status: int
) -> None:
    app = await make_app(Shop, settings={"public_url": "https://shop.example"})
    client = await app.client(await app.person((await app.source()).tenant))
    form = {"csrf_token": token_in(await client.get("/till")), "sum": "7"}
    assert (await client.post("/till", data=form, headers=headers)).status_code == status


async def test_somebody_who_tries_too_often_has_to_wait(make_app: MakeApp) -> None:
    app = await make_app(Shop)
    admin = await app.person((await app.source()).tenant)
    client = await app.client()
    guess = {"email": admin.email.upper(), "password": "guess"}
    answers = [await client.post("/api/auth/login", json=guess) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    right = await client.post("/api/auth/login", json={"email": admin.email, "password": admin.password})
    assert right.status_code == 429


async def test_programs_sign_in_with_json_and_get_a_token_for_changes(street: Street) -> None:
    credentials = {"email": street.admin.email, "password": street.admin.password}
    answer = await street.stranger.post("/api/auth/login", json=credentials)
    assert answer.json()["email"] == street.admin.email
    assert "shop.buy" in answer.json()["permissions"]
    headers = {"X-CSRF-Token": answer.json()["csrf_token"]}
    assert (await street.stranger.delete("/api/corner/shop/orders/1")).status_code == 403
    assert (await street.stranger.delete("/api/corner/shop/orders/1", headers=headers)).status_code == 204
    assert (await street.stranger.post("/api/auth/logout", headers=headers)).status_code == 204
    assert (await street.stranger.get("/api/auth/me")).status_code == 401


async def test_a_login_session_ends(make_app: MakeApp) -> None:
    clock = FakeClock()
    app = await make_app(Shop, clock=clock)
    client = await app.client(await app.person((await app.source()).tenant))
    assert (await client.get("/api/auth/me")).status_code == 200
    clock.move(timedelta(days=8))
    assert (await client.get("/api/auth/me")).status_code == 401


async def test_cookies_are_secure_behind_tls_that_a_trusted_proxy_reports(make_app: MakeApp) -> None:
    app = await make_app(Shop, settings={"trusted_proxies": "127.0.0.0/8"})
    admin = await app.person((await app.source()).tenant)
    credentials = {"email": admin.email, "password": admin.password}
    plain = await (await app.client()).post("/api/auth/login", json=credentials)
    forwarded = {"X-Forwarded-Proto": "https"}
    behind = await (await app.client()).post("/api/auth/login", json=credentials, headers=forwarded)
    assert "Secure" not in plain.headers["set-cookie"]
    assert "Secure" in behind.headers["set-cookie"]
    assert SESSION_COOKIE in behind.headers["set-cookie"]
    assert "strict-transport-security" in behind.headers
    assert "strict-transport-security" not in plain.headers


async def test_static_files_have_an_address_that_may_be_cached_for_ever(street: Street) -> None:
    page = (await street.buyer.get("/corner/shop")).text
    found = re.search(r'src="(/static/shop/([0-9a-f]+)/sign.svg)"', page)
    assert found
    file = await street.stranger.get(found[1])
    assert (file.status_code, file.headers["content-type"]) == (200, "image/svg+xml")
    assert "immutable" in file.headers["cache-control"]
    assert file.headers["content-encoding"] == "gzip"
    old = await street.stranger.get(found[1].replace(found[2], "000000000000"))
    assert "no-cache" in old.headers["cache-control"]


@pytest.mark.parametrize("path", ["../shop.py", "%2e%2e/shop.py", "..%2fshop.py", ".hidden", "", "nothing.js", "a%00b"])
async def test_static_files_end_at_their_folder(street: Street, path: str) -> None:
    answer = await street.stranger.get(f"/static/shop/0/{path}")
    assert answer.status_code == 404
    assert (await street.stranger.get("/static/nobody/0/sign.svg")).status_code == 404
