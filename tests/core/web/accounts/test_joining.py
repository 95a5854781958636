"""Signing up, answering invitations, and choosing among organisations, over HTTP."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from chatnation.core.auth.events import MemberJoined, SignedIn, TenantCreated
from chatnation.core.auth.permissions import RoleName
from chatnation.core.context import Tenant
from chatnation.testing.apps import MakeApp, Person, RunningApp
from chatnation.testing.clock import FakeClock
from tests.core.web.conftest import csrf_token
from tests.core.web.postbox import Postbox, kept_by

SIGNUP, AVAILABLE = "/api/auth/signup", "/api/auth/signup-available"
VALIDATE, ACCEPT, CLAIM = "/api/invitations/validate", "/api/invitations/accept", "/api/invitations/claim"
HTML = {"Accept": "text/html"}
ACCOUNT = {
    "email": "amina@example.org",
    "password": "Correct-horse-7",
    "name": "Amina",
    "organization_name": "Kenya Revenue Authority",
}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def count(app: RunningApp, table: str) -> int:
    async with app.app.storage.system("look") as connection:
        return int(await connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def form_of(page: httpx.Response, **fields: Any) -> dict[str, Any]:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text
    return {"csrf_token": found[1], **fields}


# --- signing up --------------------------------------------------------------------------------------


async def test_the_first_who_signs_up_owns_the_organisation_and_nobody_follows(make_app: MakeApp) -> None:
    app = await make_app(Postbox)
    client = await app.client()
    assert (await client.get(AVAILABLE)).json() == {"available": True}
    answer = await client.post(SIGNUP, json=ACCOUNT)
    assert (answer.status_code, answer.json()["step"]) == (200, "logged_in"), answer.text
    me = (await client.get("/api/auth/me")).json()
    assert (me["role"], me["tenant"], me["email"]) == ("super_admin", "kenya-revenue-authority", ACCOUNT["email"])
    assert (await client.get(AVAILABLE)).json() == {"available": False}
    second = {**ACCOUNT, "email": "other@example.org", "organization_name": "Other"}
    assert code(await (await app.client()).post(SIGNUP, json=second)) == (403, "not_allowed")
    assert [type(event) for event in app.domain_events] == [TenantCreated, MemberJoined, SignedIn]
    assert "auth.signup" in kept_by(app).actions()


async def test_where_anybody_may_sign_up_names_that_are_taken_are_refused_whole(make_app: MakeApp) -> None:
    app = await make_app(Postbox, settings={"deployment_mode": "saas"})
    client = await app.client()
    assert (await client.post(SIGNUP, json=ACCOUNT)).status_code == 200
    assert (await client.get(AVAILABLE)).json() == {"available": True}
    stranger = await app.client()
    same_address = {**ACCOUNT, "email": "AMINA@example.org", "organization_name": "Other"}
    assert code(await stranger.post(SIGNUP, json=same_address)) == (409, "name_taken")
    assert (await count(app, "tenants"), await count(app, "users")) == (1, 1)
    same_handle = {**ACCOUNT, "email": "b@example.org", "organization_slug": "kenya-revenue-authority"}
    assert code(await stranger.post(SIGNUP, json=same_handle)) == (409, "name_taken")
    assert (await count(app, "tenants"), await count(app, "users")) == (1, 1)
    assert (await stranger.post(SIGNUP, json={**same_handle, "organization_slug": "other"})).status_code == 200


async def test_of_many_who_sign_up_first_at_once_one_succeeds(make_app: MakeApp) -> None:
    app = await make_app(Postbox)
    clients = [await app.client() for _ in range(4)]
    accounts = [{**ACCOUNT, "email": f"a{n}@example.org", "organization_name": f"Org {n}"} for n in range(4)]
    answers = await asyncio.gather(
        *(client.post(SIGNUP, json=account) for client, account in zip(clients, accounts, strict=True))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403]
    assert (await count(app, "tenants"), await count(app, "users")) == (1, 1)


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"password": "correct-horse"}, (422, "weak_password")),
        ({"email": "nobody"}, (422, "invalid_name")),
        ({"organization_slug": "Not A Handle"}, (422, "invalid_name")),
        ({"name": "A"}, (422, "invalid_request")),
        ({"name": "A\x00B"}, (422, "invalid_name")),
    ],
)
async def test_a_faulty_sign_up_leaves_nothing(
    make_app: MakeApp, change: dict[str, str], refused: tuple[int, str]
) -> None:
    app = await make_app(Postbox)
    assert code(await (await app.client()).post(SIGNUP, json={**ACCOUNT, **change})) == refused
    assert (await count(app, "tenants"), await count(app, "users")) == (0, 0)


async def test_the_page_signs_up_and_then_says_that_nobody_can(make_app: MakeApp) -> None:
    app = await make_app(Postbox)
    client = await app.client(headers=HTML)
    fields = {"organisation": "KRA", "name": "Amina", "email": "amina@example.org", "password": "weak"}
    form = form_of(await client.get("/signup"), **fields)
    weak = await client.post("/signup", data=form)
    assert (weak.status_code, "The password needs" in weak.text) == (422, True)
    assert (await client.post("/signup", data={**form, "password": "Correct-horse-7"})).status_code == 303
    assert (await client.get("/api/auth/me")).json()["tenant"] == "kra"
    closed = await (await app.client(headers=HTML)).get("/signup")
    assert ("Ask somebody there" in closed.text, 'name="password"' in closed.text) == (True, False)


# --- invitations -------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def app(make_app: MakeApp, clock: FakeClock) -> RunningApp:
    return await make_app(Postbox, clock=clock)


@pytest.fixture
async def tenant(app: RunningApp) -> Tenant:
    return (await app.source("KRA")).tenant


@pytest.fixture
async def boss(app: RunningApp, tenant: Tenant) -> Person:
    return await app.person(tenant)


async def invite(app: RunningApp, boss: Person, email: str, role: str = "auditor") -> str:
    client = await app.client(boss)
    headers = {"X-CSRF-Token": await csrf_token(client)}
    body = {"email": email, "role": role}
    answer = await client.post("/api/tenants/current/invitations", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return kept_by(app).token()


async def test_an_invited_stranger_sets_a_password_and_is_in(app: RunningApp, boss: Person) -> None:
    token = await invite(app, boss, "new@example.org")
    client = await app.client()
    opened = (await client.get(VALIDATE, params={"token": token})).json()
    assert (opened["valid"], opened["email"], opened["role"], opened["has_account"]) == (
        True,
        "new@example.org",
        "auditor",
        False,
    )
    assert opened["password"]["min_length"] == 8
    answer = await client.post(CLAIM, json={"token": token, "password": "a long password", "name": "New"})
    assert (answer.status_code, answer.json()["step"]) == (200, "logged_in")
    me = (await client.get("/api/auth/me")).json()
    assert (me["email"], me["role"], me["name"]) == ("new@example.org", "auditor", "New")
    again = await (await app.client()).post(CLAIM, json={"token": token, "password": "a long password"})
    assert code(again) == (400, "invalid_link")
    assert (await client.get(VALIDATE, params={"token": token})).json()["valid"] is False
    assert "config.invitation.accepted" in kept_by(app).actions()


async def test_the_tenants_rules_hold_for_the_password_of_an_invited_person(app: RunningApp, boss: Person) -> None:
    async with app.app.storage.system("settings for a test") as connection:
        settings = '{"passwordComplexity": {"requireSpecial": true}}'
        await connection.execute(text("UPDATE tenants SET settings = CAST(:s AS jsonb)"), {"s": settings})
    token = await invite(app, boss, "new@example.org")
    client = await app.client()
    weak = await client.post(CLAIM, json={"token": token, "password": "onlyletters"})
    assert code(weak) == (422, "weak_password")
    assert (await client.post(CLAIM, json={"token": token, "password": "letters, and signs"})).status_code == 200


async def test_an_invitation_lets_nobody_round_the_second_factor(app: RunningApp, boss: Person) -> None:
    token = await invite(app, boss, "new@example.org", "admin")
    async with app.app.storage.system("settings for a test") as connection:
        await connection.execute(text("""UPDATE tenants SET settings = '{"twoFactorRequired": true}'"""))
    client = await app.client()
    answer = await client.post(CLAIM, json={"token": token, "password": "a long password", "name": "New"})
    assert answer.json()["step"] == "set_up_second_factor"
    assert (await client.get("/api/tenants/current/members")).status_code == 403


async def test_an_old_invitation_opens_nothing(app: RunningApp, boss: Person, clock: FakeClock) -> None:
    token = await invite(app, boss, "new@example.org")
    clock.move(timedelta(days=7))
    client = await app.client()
    assert (await client.get(VALIDATE, params={"token": token})).json() == {
        "valid": False,
        "email": None,
        "role": None,
        "tenant_name": None,
        "has_account": None,
        "password": None,
    }
    assert code(await client.post(CLAIM, json={"token": token, "password": "a long password"})) == (
        400,
        "invalid_link",
    )


async def test_a_user_signs_in_to_accept_what_was_sent_to_them(app: RunningApp, boss: Person) -> None:
    elsewhere = (await app.source("Elsewhere")).tenant
    known, other = await app.person(elsewhere), await app.person(elsewhere, RoleName.AGENT)
    token = await invite(app, boss, known.email)
    stranger = await app.client()
    assert (await stranger.get(VALIDATE, params={"token": token})).json()["has_account"] is True
    assert code(await stranger.post(CLAIM, json={"token": token, "password": "a long password"})) == (
        409,
        "sign_in_instead",
    )
    assert (await stranger.post(ACCEPT, json={"token": token})).status_code == 401
    wrong = await app.client(other)
    headers = {"X-CSRF-Token": await csrf_token(wrong)}
    assert code(await wrong.post(ACCEPT, json={"token": token}, headers=headers)) == (403, "not_allowed")
    right = await app.client(known)
    headers = {"X-CSRF-Token": await csrf_token(right)}
    accepted = await right.post(ACCEPT, json={"token": token}, headers=headers)
    assert accepted.json() == {"tenant": "kra", "tenant_name": "KRA", "role": "auditor"}
    assert len((await right.get("/api/tenants")).json()["tenants"]) == 2


async def test_the_page_of_an_invitation_knows_who_looks(app: RunningApp, boss: Person) -> None:
    elsewhere = (await app.source("Elsewhere")).tenant
    known = await app.person(elsewhere)
    token = await invite(app, boss, known.email)
    path = f"/invitation?token={token}"
    stranger = await (await app.client(headers=HTML)).get(path)
    assert "/login?next=%2Finvitation%3Ftoken%3D" in stranger.text
    wrong = await (await app.client(boss, headers=HTML)).get(path)
    assert "for another address" in wrong.text
    client = await app.client(known, headers=HTML)
    page = await client.get(path)
    done = await client.post("/invitation/accept", data=form_of(page, token=token))
    assert (done.status_code, done.headers["location"]) == (303, "/")
    void = await client.get(path)
    assert "not valid any more" in void.text


async def test_the_page_makes_the_invited_person_a_user(app: RunningApp, boss: Person) -> None:
    token = await invite(app, boss, "new@example.org")
    client = await app.client(headers=HTML)
    page = await client.get(f"/invitation?token={token}")
    form = form_of(page, token=token, name="New", password="short")
    weak = await client.post("/invitation/claim", data=form)
    assert (weak.status_code, "The password needs" in weak.text) == (422, True)
    assert (await client.post("/invitation/claim", data={**form, "password": "a long password"})).status_code == 303
    assert (await client.get("/api/auth/me")).json()["name"] == "New"


# --- choosing among organisations --------------------------------------------------------------------


async def at_two(app: RunningApp, boss: Person, role: str = "auditor") -> tuple[httpx.AsyncClient, Tenant]:
    """Somebody who owns one tenant and belongs to that of `boss`, at the former."""
    own = (await app.source("Own")).tenant
    person = await app.person(own)
    token = await invite(app, boss, person.email, role)
    client = await app.client(person)
    headers = {"X-CSRF-Token": await csrf_token(client)}
    assert (await client.post(ACCEPT, json={"token": token}, headers=headers)).status_code == 200
    return client, own


async def choose(client: httpx.AsyncClient, slug: str) -> httpx.Response:
    headers = {"X-CSRF-Token": await csrf_token(client)}
    return await client.put("/api/tenants/current", json={"tenant": slug}, headers=headers)


async def test_a_user_changes_to_another_of_their_organisations_and_stays_there(app: RunningApp, boss: Person) -> None:
    client, own = await at_two(app, boss)
    listed = (await client.get("/api/tenants")).json()["tenants"]
    assert [(row["name"], row["role"], row["current"]) for row in listed] == [
        ("KRA", "auditor", False),
        ("Own", "super_admin", True),
    ]
    assert (await choose(client, "kra")).json()["tenant"] == "kra"
    for _ in range(2):
        me = (await client.get("/api/auth/me")).json()
        assert (me["tenant"], me["role"]) == ("kra", "auditor")
    assert (await client.get("/api/tenants/current/members")).status_code == 403
    assert (await choose(client, own.slug)).status_code == 200
    assert (await client.get("/api/tenants/current")).json()["role"] == "super_admin"
    assert "auth.tenant.chosen" in kept_by(app).actions()


async def test_a_tenant_that_is_not_active_or_not_ones_own_cannot_be_chosen(app: RunningApp, boss: Person) -> None:
    client, _ = await at_two(app, boss)
    strange = (await app.source("Strange")).tenant
    for slug in (strange.slug, "nowhere", ""):
        assert code(await choose(client, slug)) == (404, "not_found")
    async with app.app.storage.system("off") as connection:
        await connection.execute(text("UPDATE tenants SET active = false WHERE slug = 'kra'"))
    await app.app.versions.poll()
    assert code(await choose(client, "kra")) == (404, "not_found")
    assert (await (await app.client(boss)).get("/api/auth/me")).status_code == 401


async def test_a_tenant_that_asks_for_a_second_factor_asks_for_it_when_it_is_chosen(
    app: RunningApp, boss: Person
) -> None:
    client, _ = await at_two(app, boss)
    async with app.app.storage.system("settings for a test") as connection:
        await connection.execute(
            text("""UPDATE tenants SET settings = '{"twoFactorRequired": true}' WHERE slug = 'kra'""")
        )
    assert (await choose(client, "kra")).json()["step"] == "set_up_second_factor"
    assert (await client.get("/api/tenants/current/invitations")).status_code == 403


async def test_the_menu_at_the_top_offers_the_others(app: RunningApp, boss: Person) -> None:
    client, _ = await at_two(app, boss)
    page = await client.get("/settings/password", headers=HTML)
    assert 'name="tenant" value="kra"' in page.text
    answer = await client.post("/choose-organisation", data=form_of(page, tenant="kra"))
    assert answer.status_code == 303
    assert (await client.get("/api/auth/me")).json()["tenant"] == "kra"
    only = await (await app.client(boss)).get("/settings/password", headers=HTML)
    assert "/choose-organisation" not in only.text
