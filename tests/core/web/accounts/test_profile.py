"""One's own account over HTTP: factors, logins, browsers, tokens; and what a tenant asks of all."""

from __future__ import annotations

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

pytestmark = pytest.mark.anyio
HTML = {"Accept": "text/html"}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def app(make_app: MakeApp, clock: FakeClock) -> RunningApp:
    return await make_app(Postbox, clock=clock)


@pytest.fixture
async def person(app: RunningApp) -> Person:
    return await app.person((await app.source("KRA")).tenant)


async def send(client: httpx.AsyncClient, method: str, path: str, **body: Any) -> httpx.Response:
    token = {"X-CSRF-Token": await csrf_token(client)}
    return await client.request(method, path, json=body or None, headers=token)


def code_of(secret: str, app: RunningApp) -> str:
    return pyotp.TOTP(secret).at(app.app.clock.now())


async def set_up_app(app: RunningApp, client: httpx.AsyncClient, **given: str) -> httpx.Response:
    started = await send(client, "POST", "/api/auth/2fa/setup", factor="totp", **given)
    if started.status_code != 200:
        return started
    body = {"challenge": started.json()["challenge"], "code": code_of(started.json()["secret"], app)}
    return await send(client, "POST", "/api/auth/2fa/setup/verify", **body)


def token_in(page: httpx.Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


# --- second factors ---


async def test_an_app_is_set_up_with_a_code_and_its_secret_is_sealed(app: RunningApp, person: Person) -> None:
    client = await app.client(person)
    started = (await send(client, "POST", "/api/auth/2fa/setup", factor="totp")).json()
    assert started["qr_svg"].startswith("<svg")
    assert f"secret={started['secret']}" in started["uri"]
    wrong = await send(client, "POST", "/api/auth/2fa/setup/verify", challenge=started["challenge"], code="000000")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_code")
    assert (await client.get("/api/auth/2fa/status")).json()["enabled"] is False
    body = {"challenge": started["challenge"], "code": code_of(started["secret"], app)}
    done = await send(client, "POST", "/api/auth/2fa/setup/verify", **body)
    assert len(done.json()["recovery_codes"]) == 10
    status = (await client.get("/api/auth/2fa/status")).json()
    assert (status["enabled"], status["recovery_codes_left"], status["factors"][0]["name"]) == (True, 10, "totp")
    async with app.app.storage.system("look") as connection:
        for table in ("second_factors", "login_challenges"):
            stored = str((await connection.execute(text(f"SELECT t::text FROM {table} t"))).all())
            assert started["secret"] not in stored
    assert started["secret"] not in str(kept_by(app).records)


async def test_changing_or_removing_a_factor_needs_the_password_or_a_code(
    app: RunningApp, person: Person, clock: FakeClock
) -> None:
    client = await app.client(person)
    assert (await set_up_app(app, client)).status_code == 200
    assert (await set_up_app(app, client)).json()["code"] == "wrong_password"
    assert (await set_up_app(app, client, password="guess")).json()["code"] == "wrong_password"
    clock.move(timedelta(minutes=1))
    assert (await set_up_app(app, client, password=person.password)).status_code == 200
    for given, status in (({}, 403), ({"code": "123456"}, 403), ({"password": person.password}, 204)):
        answer = await send(client, "POST", "/api/auth/2fa/disable", factor="totp", **given)
        assert answer.status_code == status
    assert (await client.get("/api/auth/2fa/status")).json()["recovery_codes_left"] == 0


async def test_a_first_factor_needs_a_login_of_the_last_ten_minutes_or_the_password(
    app: RunningApp, person: Person, clock: FakeClock
) -> None:
    client = await app.client(person)
    clock.move(timedelta(minutes=11))
    assert (await set_up_app(app, client)).json()["code"] == "wrong_password"
    assert (await set_up_app(app, client, password=person.password)).status_code == 200


async def test_a_set_up_of_somebody_else_cannot_be_finished(app: RunningApp, person: Person) -> None:
    client = await app.client(person)
    other = await app.client(await app.person(person.tenant))
    started = (await send(client, "POST", "/api/auth/2fa/setup", factor="totp")).json()
    body = {"challenge": started["challenge"], "code": code_of(started["secret"], app)}
    answer = await send(other, "POST", "/api/auth/2fa/setup/verify", **body)
    assert (answer.status_code, answer.json()["code"]) == (401, "set_up_expired")


async def test_new_recovery_codes_void_the_old_ones(app: RunningApp, person: Person) -> None:
    client = await app.client(person)
    old = (await set_up_app(app, client)).json()["recovery_codes"]
    assert (await send(client, "POST", "/api/auth/2fa/recovery-codes", password="guess")).status_code == 403
    new = (await send(client, "POST", "/api/auth/2fa/recovery-codes", password=person.password)).json()
    stranger = await app.client()
    credentials = {"email": person.email, "password": person.password}
    challenge = (await stranger.post("/api/auth/login", json=credentials)).json()["challenge"]
    for code, status in ((old[0], 401), (new["recovery_codes"][0], 200)):
        answer = await stranger.post("/api/auth/2fa/verify", json={"challenge": challenge, "code": code})
        assert answer.status_code == status


async def test_what_is_dangerous_asks_once_more_who_one_is(app: RunningApp, person: Person, clock: FakeClock) -> None:
    from chatnation.core.auth.recognition import Recognition
    from chatnation.core.errors import Problem
    from chatnation.core.web.access import check_fresh

    browser = await app.client(person, headers=HTML)

    async def is_fresh() -> bool:
        actor = await app.app.services.get(Recognition).by_cookie(person.token)
        assert actor is not None
        try:
            check_fresh(actor, clock.now())
        except Problem:
            return False
        return True

    assert await is_fresh()
    clock.move(timedelta(minutes=11))
    assert not await is_fresh()
    page = await browser.get("/login/confirm", params={"next": "/settings/security"})
    form = {"csrf_token": token_in(page), "next": "/settings/security"}
    wrong = await browser.post("/login/confirm", data={**form, "proof": "guess"})
    assert (wrong.status_code, await is_fresh()) == (403, False)
    right = await browser.post("/login/confirm", data={**form, "proof": person.password})
    assert (right.status_code, right.headers["location"]) == (303, "/settings/security")
    assert await is_fresh()


# --- logins ---


async def test_logins_are_listed_and_closed_one_by_one_or_all(app: RunningApp, person: Person) -> None:
    here = await app.client(person)
    credentials = {"email": person.email, "password": person.password}
    phone = "Mozilla/5.0 (Android 14; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0"
    elsewhere, third = await app.client(), await app.client()
    await elsewhere.post("/api/auth/login", json=credentials, headers={"User-Agent": phone})
    await third.post("/api/auth/login", json=credentials)
    sessions = (await here.get("/api/auth/sessions")).json()["sessions"]
    assert [entry["current"] for entry in sessions].count(True) == 1
    (on_phone,) = [entry for entry in sessions if "Android" in entry["device"]]
    stranger = await app.client(await app.person(person.tenant))
    assert (await send(stranger, "DELETE", f"/api/auth/sessions/{on_phone['id']}")).status_code == 404
    assert (await send(here, "DELETE", f"/api/auth/sessions/{on_phone['id']}")).status_code == 204
    assert (await elsewhere.get("/api/auth/me")).status_code == 401
    assert (await send(here, "DELETE", "/api/auth/sessions?keep_current=true")).json() == {"closed": 1}
    assert (await third.get("/api/auth/me")).status_code == 401
    assert (await send(here, "DELETE", "/api/auth/sessions")).json() == {"closed": 1}
    assert (await here.get("/api/auth/me")).status_code == 401
    assert (await stranger.get("/api/auth/me")).status_code == 200


async def test_polling_keeps_no_login_alive_and_looking_around_does(
    app: RunningApp, person: Person, clock: FakeClock
) -> None:
    client = await app.client(person)
    changed = await send(client, "PATCH", "/api/settings/security", inactivity_timeout_minutes=30)
    assert changed.status_code == 200
    for _ in range(2):
        clock.move(timedelta(minutes=20))
        assert (await client.get("/api/auth/me")).status_code == 200
    for _ in range(2):
        clock.move(timedelta(minutes=14))
        assert (await client.get("/api/auth/me", headers={"X-Requested-With": "poll"})).status_code == 200
    clock.move(timedelta(minutes=3))
    assert (await client.get("/api/auth/me")).status_code == 401


# --- tokens ---


async def test_a_personal_token_opens_what_its_scopes_and_its_owner_may(app: RunningApp, person: Person) -> None:
    client = await app.client(person)
    wanted = {"name": "Report", "scopes": ["settings.manage"]}
    made = (await send(client, "POST", "/api/auth/tokens", **wanted)).json()
    assert made["token"].startswith("cn_pat_")
    (listed,) = (await client.get("/api/auth/tokens")).json()["tokens"]
    assert made["token"] not in str(listed)
    assert made["token"].startswith(listed["prefix"])
    program = await app.client(headers={"Authorization": f"Bearer {made['token']}"})
    assert (await program.get("/api/settings/security")).status_code == 200
    assert (await program.get("/api/tenants/current/members")).status_code == 403
    assert (await program.get("/api/auth/sessions")).json()["code"] == "login_needed"
    assert (await client.get("/api/auth/tokens")).json()["tokens"][0]["last_used_at"]
    async with app.app.storage.system("demote") as connection:
        await connection.execute(text("UPDATE memberships SET role = 'agent'"))
    await app.app.versions.poll()
    assert (await program.get("/api/settings/security")).status_code == 403
    assert (await send(client, "DELETE", f"/api/auth/tokens/{listed['id']}")).status_code == 204
    assert (await program.get("/api/auth/me")).status_code == 401


async def test_nobody_gives_a_token_more_than_they_have_and_it_ends_when_it_says(
    app: RunningApp, person: Person, clock: FakeClock
) -> None:
    agent = await app.client(await app.person(person.tenant, RoleName.AGENT))
    refused = await send(agent, "POST", "/api/auth/tokens", name="x", scopes=["settings.manage"])
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    client = await app.client(person)
    wanted = {"name": "x", "scopes": ["settings.manage"], "expires_in_days": 1}
    made = (await send(client, "POST", "/api/auth/tokens", **wanted)).json()
    program = await app.client(headers={"Authorization": f"Bearer {made['token']}"})
    assert (await program.get("/api/auth/me")).status_code == 200
    clock.move(timedelta(days=1))
    assert (await program.get("/api/auth/me")).status_code == 401


# --- pages ---


async def test_the_profile_page_does_all_of_it(app: RunningApp, person: Person) -> None:
    browser = await app.client(person, headers=HTML)
    page = await browser.get("/settings/profile")
    assert page.status_code == 200
    form = {"csrf_token": token_in(page)}
    await browser.post("/settings/profile/name", data={**form, "name": "Amina <b>"})
    assert "Amina &lt;b&gt;" in (await browser.get("/settings/profile")).text
    started = await browser.post("/login/set-up", data={**form, "factor": "totp"})
    assert started.headers["location"] == "/login/set-up/finish"
    page = await browser.get("/login/set-up/finish")
    assert "<svg" in page.text
    secret = re.search(r'id="secret">([A-Z2-7 ]+)<', page.text)
    assert secret
    code = code_of(secret[1].replace(" ", ""), app)
    codes = await browser.post("/login/set-up/finish", data={**form, "code": code})
    assert (codes.status_code, "Recovery codes" in codes.text) == (200, True)
    tokens = await browser.post(
        "/settings/profile/tokens", data={**form, "name": "CI", "scope": "settings.manage", "days": "30"}
    )
    assert re.search(r"cn_pat_\w{40}", tokens.text)
    assert not re.search(r"cn_pat_\w{40}", (await browser.get("/settings/profile")).text)
    taken = await browser.post(
        "/settings/profile/factors/disable", data={**form, "factor": "totp", "proof": person.password}
    )
    assert taken.status_code == 303
    assert "Take away" not in (await browser.get("/settings/profile")).text
    await browser.post("/settings/profile/logins/close-all", data=form)
    assert (await browser.get("/settings/profile")).headers["location"].startswith("/login")


# --- what a tenant asks ---


async def test_the_security_page_saves_and_what_it_says_holds_at_once(app: RunningApp, person: Person) -> None:
    browser = await app.client(person, headers=HTML)
    page = await browser.get("/settings/security")
    form = {
        "csrf_token": token_in(page),
        "max_duration_minutes": "60",
        "inactivity_timeout_minutes": "15",
        "password_min_length": "12",
        "password_max_length": "64",
        "password_expiry_days": "90",
        "password_number": "on",
        "single_login": "on",
    }
    assert (await browser.post("/settings/security", data=form)).status_code == 303
    saved = (await browser.get("/api/settings/security")).json()
    assert saved == {
        "max_duration_minutes": 60,
        "inactivity_timeout_minutes": 15,
        "single_login": True,
        "remember_devices": False,
        "second_factor_required": False,
        "password_expiry_days": 90,
        "password_min_length": 12,
        "password_max_length": 64,
        "password_uppercase": False,
        "password_lowercase": False,
        "password_number": True,
        "password_special": False,
    }
    bad = await browser.post("/settings/security", data={**form, "max_duration_minutes": "soon"})
    assert bad.status_code == 422
    assert "config.security.updated" in kept_by(app).actions()
    assert (await send(browser, "PATCH", "/api/settings/security", second_factor_required=True)).status_code == 200
    assert (await browser.get("/settings/security")).headers["location"] == "/login/set-up"


async def test_who_manages_settings_changes_neither_passwords_nor_the_second_factor_without_those_permissions(
    app: RunningApp, person: Person
) -> None:
    developer = await app.client(await app.person(person.tenant, RoleName.DEVELOPER))
    assert (await send(developer, "PATCH", "/api/settings/security", max_duration_minutes=60)).status_code == 200
    for change in ({"second_factor_required": True}, {"password_min_length": 12}, {"password_expiry_days": 5}):
        refused = await send(developer, "PATCH", "/api/settings/security", **change)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    agent = await app.client(await app.person(person.tenant, RoleName.AGENT))
    assert (await agent.get("/api/settings/security")).status_code == 403


async def test_everybody_can_be_signed_out_at_once_and_other_tenants_stay_in(app: RunningApp, person: Person) -> None:
    admin = await app.client(person)
    colleague = await app.client(await app.person(person.tenant))
    other = await app.client(await app.person((await app.source("Other")).tenant))
    answer = await send(admin, "POST", "/api/settings/security/sign-everybody-out")
    assert answer.json() == {"closed": 2}
    assert [(await client.get("/api/auth/me")).status_code for client in (admin, colleague, other)] == [401, 401, 200]
