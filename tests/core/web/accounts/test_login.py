"""Signing in over HTTP: every step, and what does not go round it."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import httpx
import pyotp
import pytest
from sqlalchemy import text

from chatnation.core.auth.permissions import RoleName
from chatnation.testing.apps import MakeApp, Person, RunningApp
from chatnation.testing.clock import FakeClock
from tests.core.web.conftest import csrf_token
from tests.core.web.postbox import Postbox, kept_by
from tests.core.web.shop import Shop

pytestmark = pytest.mark.anyio
HTML = {"Accept": "text/html"}
NEW = "another horse battery staple"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def app(make_app: MakeApp, clock: FakeClock) -> RunningApp:
    return await make_app(Postbox, Shop, clock=clock)


@pytest.fixture
async def person(app: RunningApp) -> Person:
    return await app.person((await app.source("KRA")).tenant)


async def settings(app: RunningApp, value: str) -> None:
    async with app.app.storage.system("settings for a test") as connection:
        await connection.execute(text("UPDATE tenants SET settings = CAST(:value AS jsonb)"), {"value": value})
    await app.app.versions.poll()


async def log_in(client: httpx.AsyncClient, person: Person, password: str = "") -> httpx.Response:
    credentials = {"email": person.email, "password": password or person.password}
    known = await client.get("/api/auth/me")
    token = {"X-CSRF-Token": known.json()["csrf_token"]} if known.status_code == 200 else {}
    return await client.post("/api/auth/login", json=credentials, headers=token)


async def client_with(app: RunningApp, token: str) -> httpx.AsyncClient:
    client = await app.client()
    client.cookies.set("chatnation_session", token)
    return client


async def post(client: httpx.AsyncClient, path: str, **body: Any) -> httpx.Response:
    return await client.post(path, json=body, headers={"X-CSRF-Token": await csrf_token(client)})


async def with_app(app: RunningApp, person: Person) -> tuple[str, list[str]]:
    """Set an authenticator app up; gives its secret and the recovery codes."""
    client = await app.client()
    await log_in(client, person)
    started = (await post(client, "/api/auth/2fa/setup", factor="totp")).json()
    code = code_of(started["secret"], app)
    done = await post(client, "/api/auth/2fa/setup/verify", challenge=started["challenge"], code=code)
    assert done.status_code == 200, done.text
    return started["secret"], done.json()["recovery_codes"]


def code_of(secret: str, app: RunningApp) -> str:
    return pyotp.TOTP(secret).at(app.app.clock.now())


def outcome(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    return answer.status_code, body.get("code") or body.get("step", "")


async def test_wrong_passwords_unknown_addresses_and_shut_accounts_are_answered_alike(
    app: RunningApp, person: Person
) -> None:
    disabled, gone = await app.person(person.tenant), await app.person(person.tenant)
    async with app.app.storage.system("shut accounts") as connection:
        await connection.execute(
            text("UPDATE users SET disabled_at = now() WHERE email = :email"), {"email": disabled.email}
        )
        await connection.execute(
            text("UPDATE memberships m SET active = false FROM users u WHERE u.id = m.user_id AND u.email = :email"),
            {"email": gone.email},
        )
    client = await app.client()
    nobody = Person(person.tenant, "nobody@example.org", person.password, "")
    answers = [
        await log_in(client, person, "guess"),
        await log_in(client, nobody),
        await log_in(client, disabled),
        await log_in(client, gone),
    ]
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [401] * 4
    assert all(body == bodies[0] for body in bodies)


# --- the second factor ---


async def test_a_password_alone_does_not_open_an_account_with_a_second_factor(
    app: RunningApp, person: Person, clock: FakeClock
) -> None:
    secret, _ = await with_app(app, person)
    clock.move(timedelta(seconds=30))
    client = await app.client()
    pending = await log_in(client, person)
    assert outcome(pending) == (200, "second_factor")
    assert not client.cookies
    assert (await client.get("/api/auth/me")).status_code == 401
    challenge = pending.json()["challenge"]
    for bearer in (challenge, f"x{challenge}"):
        assert (await client.get("/api/auth/me", headers={"Authorization": f"Bearer {bearer}"})).status_code == 401
    done = await client.post("/api/auth/2fa/verify", json={"challenge": challenge, "code": code_of(secret, app)})
    assert outcome(done) == (200, "logged_in")
    assert (await client.get("/api/auth/me")).json()["email"] == person.email


async def test_a_code_is_good_once(app: RunningApp, person: Person, clock: FakeClock) -> None:
    secret, _ = await with_app(app, person)
    clock.move(timedelta(seconds=30))
    code = code_of(secret, app)
    client = await app.client()
    for wanted in ((200, "logged_in"), (401, "wrong_code")):
        challenge = (await log_in(client, person)).json()["challenge"]
        answer = await client.post("/api/auth/2fa/verify", json={"challenge": challenge, "code": code})
        assert outcome(answer) == wanted
        client.cookies.clear()


async def test_a_recovery_code_opens_once_and_no_other_is_used_up(app: RunningApp, person: Person) -> None:
    _, recovery = await with_app(app, person)
    assert len(set(recovery)) == 10
    client = await app.client()
    for code, wanted in ((recovery[0].upper(), 200), (recovery[0], 401), (recovery[1], 200)):
        challenge = (await log_in(client, person)).json()["challenge"]
        answer = await client.post("/api/auth/2fa/verify", json={"challenge": challenge, "code": code})
        assert answer.status_code == wanted
        client.cookies.clear()
    async with app.app.storage.system("look") as connection:
        stored = str((await connection.execute(text("SELECT recovery_codes::text FROM recovery_codes"))).all())
    assert recovery[2] not in stored


async def test_after_five_wrong_codes_one_signs_in_again_and_the_right_one_comes_too_late(
    app: RunningApp, person: Person, clock: FakeClock
) -> None:
    secret, _ = await with_app(app, person)
    clock.move(timedelta(minutes=1))
    client = await app.client()
    challenge = (await log_in(client, person)).json()["challenge"]
    answers = [
        await client.post("/api/auth/2fa/verify", json={"challenge": challenge, "code": "000000"}) for _ in range(5)
    ]
    assert [outcome(answer)[1] for answer in answers] == ["wrong_code"] * 4 + ["login_expired"]
    late = await client.post("/api/auth/2fa/verify", json={"challenge": challenge, "code": code_of(secret, app)})
    assert outcome(late) == (401, "login_expired")


async def test_wrong_codes_add_up_over_logins_until_the_account_is_locked(app: RunningApp, person: Person) -> None:
    await with_app(app, person)
    client = await app.client()
    codes = []
    for _ in range(3):
        challenge = (await log_in(client, person)).json()["challenge"]
        for _ in range(4):
            answer = await client.post("/api/auth/2fa/verify", json={"challenge": challenge, "code": "000000"})
            codes.append(outcome(answer))
    assert codes[-1] == (429, "too_many_attempts")
    assert int(answer.headers["retry-after"]) > 60


async def test_a_step_is_over_after_ten_minutes(app: RunningApp, person: Person, clock: FakeClock) -> None:
    secret, _ = await with_app(app, person)
    client = await app.client()
    challenge = (await log_in(client, person)).json()["challenge"]
    clock.move(timedelta(minutes=10))
    answer = await client.post("/api/auth/2fa/verify", json={"challenge": challenge, "code": code_of(secret, app)})
    assert outcome(answer) == (401, "login_expired")


async def test_a_code_by_mail_is_sent_again_after_a_minute_and_the_first_is_void(
    app: RunningApp, person: Person, clock: FakeClock
) -> None:
    client = await app.client()
    await log_in(client, person)
    started = (await post(client, "/api/auth/2fa/setup", factor="email")).json()
    kept = kept_by(app)
    first = kept.mails[-1]
    assert (first.to, first.template) == (person.email, "login_code")
    body = {"challenge": started["challenge"], "code": first.values["code"]}
    assert (await post(client, "/api/auth/2fa/setup/verify", **body)).status_code == 200

    stranger = await app.client()
    pending = (await log_in(stranger, person)).json()
    assert pending["factor"] == "email"
    assert person.email not in str(pending)
    sent = kept.mails[-1].values["code"]
    again = {"challenge": pending["challenge"]}
    assert outcome(await stranger.post("/api/auth/2fa/resend", json=again)) == (429, "too_soon")
    clock.move(timedelta(seconds=61))
    assert (await stranger.post("/api/auth/2fa/resend", json=again)).status_code == 200
    old = await stranger.post("/api/auth/2fa/verify", json={**again, "code": sent})
    assert outcome(old)[1] == ("wrong_code" if sent != kept.mails[-1].values["code"] else "logged_in")
    new = await stranger.post("/api/auth/2fa/verify", json={**again, "code": kept.mails[-1].values["code"]})
    assert outcome(new) == (200, "logged_in")


async def test_a_reset_does_not_go_round_the_second_factor(app: RunningApp, person: Person, clock: FakeClock) -> None:
    secret, _ = await with_app(app, person)
    clock.move(timedelta(seconds=30))
    client = await app.client()
    await client.post("/api/auth/forgot-password", json={"email": person.email})
    await app.run_jobs()
    token = kept_by(app).token()
    reset = await client.post("/api/auth/reset-password", json={"token": token, "new_password": NEW})
    assert outcome(reset) == (200, "second_factor")
    assert (await client.get("/api/auth/me")).status_code == 401
    answer = {"challenge": reset.json()["challenge"], "code": code_of(secret, app)}
    assert outcome(await client.post("/api/auth/2fa/verify", json=answer)) == (200, "logged_in")


# --- remembered devices ---


async def test_a_remembered_browser_is_not_asked_again_until_it_is_forgotten(
    app: RunningApp, person: Person, clock: FakeClock
) -> None:
    secret, _ = await with_app(app, person)
    clock.move(timedelta(seconds=30))
    client = await app.client()
    challenge = (await log_in(client, person)).json()["challenge"]
    body = {"challenge": challenge, "code": code_of(secret, app), "remember_device": True}
    remembered = await client.post("/api/auth/2fa/verify", json=body)
    assert "chatnation_device" in client.cookies
    assert "HttpOnly" in remembered.headers["set-cookie"]
    client.cookies.delete("chatnation_session")
    assert outcome(await log_in(client, person)) == (200, "logged_in")
    (device,) = (await client.get("/api/auth/devices")).json()["devices"]
    token = {"X-CSRF-Token": await csrf_token(client)}
    assert (await client.delete(f"/api/auth/devices/{device['id']}", headers=token)).status_code == 204
    assert outcome(await log_in(client, person)) == (200, "second_factor")


async def test_a_browser_is_remembered_for_thirty_days_and_only_where_the_tenant_allows(
    app: RunningApp, person: Person, clock: FakeClock
) -> None:
    secret, _ = await with_app(app, person)
    clock.move(timedelta(seconds=30))
    client = await app.client()
    challenge = (await log_in(client, person)).json()["challenge"]
    body = {"challenge": challenge, "code": code_of(secret, app), "remember_device": True}
    await client.post("/api/auth/2fa/verify", json=body)
    await settings(app, '{"session": {"rememberDevices": false}}')
    assert outcome(await log_in(client, person)) == (200, "second_factor")
    await settings(app, "{}")
    clock.move(timedelta(days=29))
    assert outcome(await log_in(client, person)) == (200, "logged_in")
    clock.move(timedelta(days=31))
    assert outcome(await log_in(client, person)) == (200, "second_factor")


# --- one login at a time ---


async def test_many_logins_live_side_by_side_where_nothing_else_is_set(app: RunningApp, person: Person) -> None:
    first, second = await app.client(), await app.client()
    assert outcome(await log_in(first, person)) == outcome(await log_in(second, person)) == (200, "logged_in")
    assert (await first.get("/api/auth/me")).status_code == 200


async def test_taking_over_needs_the_mailed_code_and_ends_the_login_before(app: RunningApp, person: Person) -> None:
    await settings(app, '{"session": {"singleLoginEnforced": true}}')
    first, second = await app.client(person), await app.client()
    pending = await log_in(second, person)
    assert outcome(pending) == (200, "take_over")
    challenge = pending.json()["challenge"]
    assert outcome(
        await second.post("/api/auth/verify-session-takeover", json={"challenge": challenge, "code": "0"})
    ) == (401, "wrong_code")
    assert (await first.get("/api/auth/me")).status_code == 200
    code = kept_by(app).mails[-1].values["code"]
    taken = await second.post("/api/auth/verify-session-takeover", json={"challenge": challenge, "code": code})
    assert outcome(taken) == (200, "logged_in")
    assert (await first.get("/api/auth/me")).status_code == 401
    assert (await second.get("/api/auth/me")).status_code == 200


async def test_a_mailed_link_takes_over_once_and_only_after_a_click_on_the_page(
    app: RunningApp, person: Person
) -> None:
    await settings(app, '{"session": {"singleLoginEnforced": true}}')
    await log_in(await app.client(), person)
    token = kept_by(app).token()
    browser = await app.client()
    page = await browser.get("/verify-login", params={"token": token})
    assert (page.status_code, "chatnation_session" in browser.cookies) == (200, False)
    form = {"csrf_token": token_in(page), "token": token}
    assert (await browser.post("/verify-login", data=form)).status_code == 303
    assert (await browser.get("/api/auth/me")).status_code == 200
    again = await app.client()
    page = await again.get("/verify-login", params={"token": token})
    assert (await again.post("/verify-login", data={**form, "csrf_token": token_in(page)})).status_code == 401


async def test_an_idle_login_elsewhere_is_in_nobodys_way(app: RunningApp, person: Person, clock: FakeClock) -> None:
    await settings(app, '{"session": {"singleLoginEnforced": true, "inactivityTimeoutMinutes": 30}}')
    clock.move(timedelta(minutes=31))
    assert outcome(await log_in(await app.client(), person)) == (200, "logged_in")


async def test_after_a_second_factor_a_take_over_needs_only_a_yes(
    app: RunningApp, person: Person, clock: FakeClock
) -> None:
    secret, _ = await with_app(app, person)
    clock.move(timedelta(seconds=30))
    await settings(app, '{"session": {"singleLoginEnforced": true}}')
    client = await app.client()
    challenge = (await log_in(client, person)).json()["challenge"]
    shown = await client.post("/api/auth/2fa/verify", json={"challenge": challenge, "code": code_of(secret, app)})
    assert (outcome(shown), shown.json()["confirm_only"]) == ((200, "take_over"), True)
    challenge = shown.json()["challenge"]
    assert outcome(await client.post("/api/auth/verify-session-takeover", json={"challenge": challenge})) == (
        200,
        "logged_in",
    )


# --- expired passwords ---


async def test_an_expired_password_opens_nothing_but_its_change_second_factor_or_not(
    app: RunningApp, person: Person, clock: FakeClock
) -> None:
    secret, _ = await with_app(app, person)
    await settings(app, '{"passwordExpiryDays": 90}')
    clock.move(timedelta(days=90, minutes=1))
    client = await app.client()
    challenge = (await log_in(client, person)).json()["challenge"]
    shown = await client.post("/api/auth/2fa/verify", json={"challenge": challenge, "code": code_of(secret, app)})
    assert outcome(shown) == (200, "change_password")
    step = shown.json()["challenge"]
    assert (await client.get("/api/auth/me")).status_code == 401
    assert (await client.get("/api/auth/me", headers={"Authorization": f"Bearer {step}"})).status_code == 401
    for path in ("/api/auth/2fa/verify", "/api/auth/verify-session-takeover"):
        assert (await client.post(path, json={"challenge": step, "code": "1"})).status_code == 401
    same = await client.post("/api/auth/expired-password", json={"challenge": step, "new_password": person.password})
    assert outcome(same) == (422, "weak_password")
    done = await client.post("/api/auth/expired-password", json={"challenge": step, "new_password": NEW})
    assert outcome(done) == (200, "logged_in")
    assert outcome(await log_in(await app.client(), person))[0] == 401


# --- a second factor that the tenant asks for ---


async def test_whoever_has_to_set_a_second_factor_up_can_do_that_and_sign_out_and_nothing_else(
    app: RunningApp, person: Person
) -> None:
    await settings(app, '{"twoFactorRequired": true}')
    client = await app.client()
    assert outcome(await log_in(client, person)) == (200, "set_up_second_factor")
    assert (await client.get("/api/auth/me")).json()["second_factor_setup_required"] is True
    for path in ("/api/auth/sessions", "/api/corner/shop/things/tea", "/api/settings/security", "/api/live"):
        assert outcome(await client.get(path)) == (403, "second_factor_setup_required"), path
    page = await client.get("/till", headers=HTML)
    assert (page.status_code, page.headers["location"]) == (303, "/login/set-up")
    assert (await client.get("/login/set-up", headers=HTML)).status_code == 200
    started = (await post(client, "/api/auth/2fa/setup", factor="totp")).json()
    body = {"challenge": started["challenge"], "code": code_of(started["secret"], app)}
    assert (await post(client, "/api/auth/2fa/setup/verify", **body)).status_code == 200
    assert (await client.get("/api/auth/sessions")).status_code == 200
    assert outcome(await post(client, "/api/auth/2fa/disable", factor="totp", password=person.password)) == (
        409,
        "impossible",
    )


async def test_who_is_signed_in_when_it_becomes_mandatory_is_led_to_the_set_up_and_can_sign_out(
    app: RunningApp, person: Person
) -> None:
    client = await app.client(person)
    assert (await client.get("/api/auth/sessions")).status_code == 200
    await settings(app, '{"twoFactorRequired": true}')
    assert outcome(await client.get("/api/auth/sessions")) == (403, "second_factor_setup_required")
    token = {"X-CSRF-Token": await csrf_token(client)}
    assert (await client.post("/api/auth/logout", headers=token)).status_code == 204
    assert (await client.get("/api/auth/me")).status_code == 401


# --- pages ---


def token_in(page: httpx.Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


async def test_the_pages_lead_through_the_steps_and_back_to_where_one_wanted_to_go(
    app: RunningApp, person: Person, clock: FakeClock
) -> None:
    secret, _ = await with_app(app, person)
    clock.move(timedelta(seconds=30))
    browser = await app.client(headers=HTML)
    page = await browser.get("/login", params={"next": "/till"})
    form = {"csrf_token": token_in(page), "next": "/till", "email": person.email, "password": person.password}
    step = await browser.post("/login", data=form)
    assert (step.status_code, step.headers["location"]) == (303, "/login/second-factor")
    assert (await browser.get("/till")).status_code == 303
    page = await browser.get("/login/second-factor")
    wrong = await browser.post("/login/second-factor", data={"csrf_token": token_in(page), "code": "123"})
    assert (wrong.status_code, "wrong" in wrong.text) == (401, True)
    right = await browser.post(
        "/login/second-factor", data={"csrf_token": token_in(wrong), "code": code_of(secret, app), "remember": "on"}
    )
    assert (right.status_code, right.headers["location"]) == (303, "/till")
    assert (await browser.get("/till")).status_code == 200
    assert "chatnation_login_step" not in browser.cookies


async def test_a_step_without_its_cookie_leads_back_to_the_first(app: RunningApp) -> None:
    browser = await app.client()
    for path in ("/login/second-factor", "/login/take-over", "/login/new-password"):
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")


async def test_cookies_behind_tls_are_bound_to_the_host(app: RunningApp, person: Person) -> None:
    client = await app.client()
    client.base_url = httpx.URL("https://testserver")
    answer = await log_in(client, person)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-chatnation_session=")
    assert {"secure", "httponly", "path=/", "samesite=lax"} <= {part.strip().lower() for part in cookie.split(";")}
    assert (await client.get("/api/auth/me")).status_code == 200


async def test_a_login_replaces_the_one_that_the_browser_had(app: RunningApp, person: Person) -> None:
    client = await app.client()
    await log_in(client, person)
    before = client.cookies["chatnation_session"]
    await log_in(client, person)
    assert client.cookies["chatnation_session"] != before
    old = await client_with(app, before)
    assert (await old.get("/api/auth/me")).status_code == 401


# --- what is written down ---


async def test_logins_and_failures_are_written_down_for_the_tenant_concerned(app: RunningApp, person: Person) -> None:
    client = await app.client()
    await log_in(client, person, "guess")
    await log_in(client, person)
    stranger = {"email": "nobody@example.org", "password": "guess"}
    await (await app.client()).post("/api/auth/login", json=stranger)
    await client.post("/api/auth/logout", headers={"X-CSRF-Token": await csrf_token(client)})
    kept = kept_by(app)
    assert kept.actions() == ["auth.login_failure", "auth.login", "auth.login_failure", "auth.logout"]
    assert [record.tenant_id for record in kept.records] == [person.tenant.id, person.tenant.id, None, person.tenant.id]
    assert "guess" not in str(kept.records)


# --- tokens of programs ---


async def test_a_program_gets_short_tokens_and_renews_them_and_a_copied_one_ends_its_login(
    app: RunningApp, person: Person, clock: FakeClock
) -> None:
    client = await app.client()
    tokens = (await client.post("/api/auth/token", json={"email": person.email, "password": person.password})).json()
    assert not client.cookies

    async def me(token: str) -> int:
        return (await client.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})).status_code

    assert await me(tokens["access_token"]) == 200
    clock.move(timedelta(minutes=15))
    assert await me(tokens["access_token"]) == 401
    fresh = (await client.post("/api/auth/token/refresh", json={"refresh_token": tokens["refresh_token"]})).json()
    assert await me(fresh["access_token"]) == 200
    copied = await client.post("/api/auth/token/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert outcome(copied) == (401, "bad_refresh_token")
    assert await me(fresh["access_token"]) == 401
    assert (await client.post("/api/auth/token/refresh", json={"refresh_token": fresh["refresh_token"]})).status_code
    cookie = await client_with(app, fresh["refresh_token"])
    assert (await cookie.get("/api/auth/me")).status_code == 401
    assert "auth.refresh_token.reused" in kept_by(app).actions()


async def test_a_token_that_was_changed_or_signed_by_others_is_nobodys(app: RunningApp, person: Person) -> None:
    from joserfc import jwt
    from joserfc.jwk import OctKey

    client = await app.client()
    tokens = (await client.post("/api/auth/token", json={"email": person.email, "password": person.password})).json()
    head, body, signature = tokens["access_token"].split(".")
    claims = jwt.decode(tokens["access_token"], app_key(app)).claims
    forged = jwt.encode({"alg": "HS256", "typ": "at+jwt"}, claims, OctKey.import_key(b"x" * 32))
    unsigned = "eyJhbGciOiJub25lIn0." + body + "."
    for token in (forged, unsigned, f"{head}.{body}.{signature[::-1]}", f"{head}.{body}", "eyJ.."):
        answer = await client.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, token


def app_key(app: RunningApp) -> Any:
    from chatnation.core.auth.access_tokens import AccessTokens

    assert app.app.settings.secret_key is not None
    return AccessTokens(app.app.settings.secret_key.get_secret_value())._key


async def test_what_a_token_opens_follows_the_permissions_of_now(app: RunningApp, person: Person) -> None:
    client = await app.client()
    tokens = (await client.post("/api/auth/token", json={"email": person.email, "password": person.password})).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await client.get("/api/settings/security", headers=bearer)).status_code == 200
    async with app.app.storage.system("demote") as connection:
        await connection.execute(text("UPDATE memberships SET role = 'agent'"))
    await app.app.versions.poll()
    assert (await client.get("/api/settings/security", headers=bearer)).status_code == 403


async def test_an_open_event_stream_ends_within_a_second_after_its_login_was_closed(
    app: RunningApp, person: Person
) -> None:
    client = await app.network_client(person, timeout=10)
    async with client.stream("GET", "/api/live") as stream:
        chunks = stream.aiter_bytes()
        await anext(chunks)
        async with app.app.storage.system("sign out everywhere, from another process") as connection:
            await connection.execute(text("DELETE FROM login_sessions"))
        began = asyncio.get_running_loop().time()
        async for _ in chunks:
            pass
        assert asyncio.get_running_loop().time() - began < 1.5


async def test_an_agent_signs_in_as_anybody_else(app: RunningApp, person: Person) -> None:
    agent = await app.person(person.tenant, RoleName.AGENT)
    client = await app.client()
    assert outcome(await log_in(client, agent)) == (200, "logged_in")
    assert (await client.get("/api/auth/me")).json()["role"] == "agent"


async def test_a_program_shows_a_second_factor_too_and_gets_tokens_rather_than_a_cookie(
    app: RunningApp, person: Person, clock: FakeClock
) -> None:
    secret, _ = await with_app(app, person)
    clock.move(timedelta(seconds=30))
    client = await app.client()
    pending = await client.post("/api/auth/token", json={"email": person.email, "password": person.password})
    assert outcome(pending) == (200, "second_factor")
    answer = {"challenge": pending.json()["challenge"], "code": code_of(secret, app)}
    tokens = await client.post("/api/auth/2fa/verify", json=answer)
    assert outcome(tokens) == (200, "logged_in")
    assert not client.cookies
    bearer = {"Authorization": f"Bearer {tokens.json()['access_token']}"}
    assert (await client.post("/api/auth/logout", headers=bearer)).status_code == 204
    assert (await client.get("/api/auth/me", headers=bearer)).status_code == 401


async def test_tokens_open_nothing_while_their_owner_lacks_a_mandatory_second_factor(
    app: RunningApp, person: Person
) -> None:
    browser = await app.client(person)
    made = (await post(browser, "/api/auth/tokens", name="x", scopes=["settings.manage"])).json()["token"]
    client = await app.client()
    who = {"email": person.email, "password": person.password}
    access = (await client.post("/api/auth/token", json=who)).json()["access_token"]
    await settings(app, '{"twoFactorRequired": true}')
    for token in (made, access):
        answer = await client.get("/api/settings/security", headers={"Authorization": f"Bearer {token}"})
        assert outcome(answer) == (403, "second_factor_setup_required")


async def test_a_key_that_was_revoked_is_refused_once_the_change_was_noticed(app: RunningApp, person: Person) -> None:
    from chatnation.core.auth.keys import KeyType, create_key, revoke_key

    async with app.app.storage.system("a key for a test") as connection:
        key = await create_key(connection, person.tenant.id, "Report", KeyType.READ, scopes=["settings.manage"])
    client = await app.client()
    bearer = {"Authorization": f"Bearer {key.secret}"}
    for _ in range(2):
        assert (await client.get("/api/settings/security", headers=bearer)).status_code == 200
    async with app.app.storage.system("revoke") as connection:
        used = await connection.scalar(text("SELECT last_used_at FROM api_keys WHERE id = :id"), {"id": key.id})
        await revoke_key(connection, person.tenant.id, str(key.id))
    assert used is not None
    await app.app.versions.poll()
    assert (await client.get("/api/settings/security", headers=bearer)).status_code == 401


async def test_two_answers_at_once_open_one_login(app: RunningApp, person: Person, clock: FakeClock) -> None:
    secret, _ = await with_app(app, person)
    clock.move(timedelta(seconds=30))
    client = await app.client()
    challenge = (await log_in(client, person)).json()["challenge"]
    body = {"challenge": challenge, "code": code_of(secret, app)}
    answers = await asyncio.gather(*(client.post("/api/auth/2fa/verify", json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
