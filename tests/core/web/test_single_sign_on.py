"""People come in by the issuer of their organisation, and nobody else does."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import text

from chatnation import Tenant
from chatnation.core.auth.permissions import RoleName
from chatnation.testing import MakeApp, RunningApp
from tests.core.web.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, running_issuer

HTML = {"Accept": "text/html"}
SETTINGS = {"outgoing_allowed": "127.0.0.0/8", "public_url": "http://testserver"}
WANJIKU = {"sub": "w-1", "email": "wanjiku@kra.go.ke", "email_verified": True, "name": "Wanjiku"}


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with running_issuer() as running:
        running.user = dict(WANJIKU)
        yield running


async def set_up(running: RunningApp, tenant: Tenant, at: Issuer, **more: Any) -> httpx.Response:
    """Configure the tenant's issuer, over the API."""
    admin = await running.client(await running.person(tenant))
    csrf = (await admin.get("/api/auth/me")).json()["csrf_token"]
    body = {
        "label": "KRA login",
        "issuer": at.url,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "domains": ["KRA.go.ke"],
        "makes_members": True,
        **more,
    }
    return await admin.put("/api/settings/sso", json=body, headers={"X-CSRF-Token": csrf})


async def start(make_app: MakeApp, issuer: Issuer, **more: Any) -> tuple[RunningApp, Tenant]:
    running = await make_app(settings=SETTINGS)
    tenant = (await running.source()).tenant
    answer = await set_up(running, tenant, issuer, **more)
    assert answer.status_code == 200, answer.text
    return running, tenant


async def leave(client: httpx.AsyncClient, tenant: Tenant) -> str:
    """Go to the issuer; gives the address that it sends the browser back to."""
    away = await client.get(f"/login/sso/{tenant.slug}/start", params={"next": "/persons"})
    assert away.status_code == 302, away.text
    async with httpx.AsyncClient() as outside:
        back = await outside.get(away.headers["location"])
    assert back.status_code == 302, back.text
    return back.headers["location"].removeprefix("http://testserver")


async def sign_on(running: RunningApp, tenant: Tenant) -> tuple[httpx.AsyncClient, httpx.Response]:
    client = await running.client(headers=HTML)
    return client, await client.get(await leave(client, tenant))


async def rows(running: RunningApp, query: str) -> list[Any]:
    async with running.app.storage.system("look at single sign-on") as connection:
        return list(await connection.execute(text(query)))


async def reasons(running: RunningApp) -> list[str]:
    found = await rows(running, "SELECT details FROM audit.records WHERE action = 'auth.sso.rejected' ORDER BY id")
    return [row.details["reason"] for row in found]


async def test_whoever_the_issuer_knows_becomes_a_member_and_is_in(make_app: MakeApp, issuer: Issuer) -> None:
    running, tenant = await start(make_app, issuer, role_claim="groups", role_map={"boss": "admin", "tax": "auditor"})
    issuer.user["groups"] = ["tax", "other"]
    client, answer = await sign_on(running, tenant)
    assert (answer.status_code, answer.headers["location"]) == (303, "/persons")
    me = (await client.get("/api/auth/me")).json()
    assert (me["email"], me["role"], me["tenant"]) == ("wanjiku@kra.go.ke", "auditor", tenant.slug)
    (asked,) = issuer.asked
    assert asked["code_challenge_method"] == "S256"
    assert asked["nonce"]
    # The second time it is the same user, whatever their address is now, and roles are not touched again.
    issuer.user |= {"email": "new@kra.go.ke", "groups": ["boss"]}
    client, answer = await sign_on(running, tenant)
    assert (await client.get("/api/auth/me")).json()["email"] == "wanjiku@kra.go.ke"
    (login,) = await rows(running, "SELECT details FROM audit.records WHERE action = 'auth.sso.linked'")
    assert login.details["made_member"] is True


async def test_an_address_leads_to_the_issuer_of_its_domain(make_app: MakeApp, issuer: Issuer) -> None:
    running, tenant = await start(make_app, issuer)
    client = await running.client(headers=HTML)
    login = await client.get("/login")
    assert 'href="/login/sso?' in login.text
    form = await client.get("/login/sso")
    csrf = re.findall(r'name="csrf_token" value="([^"]+)"', form.text)[-1]
    for address, status in (("me@kra.go.ke", 200), ("me@elsewhere.org", 404), ("nonsense", 404)):
        answer = await client.post("/login/sso", data={"email": address, "next": "/persons", "csrf_token": csrf})
        assert answer.status_code == status, answer.text
        if status == 200:
            assert f"/login/sso/{tenant.slug}/start" in answer.text


async def test_without_an_issuer_the_login_page_has_no_button(make_app: MakeApp) -> None:
    running = await make_app(settings=SETTINGS)
    client = await running.client(headers=HTML)
    assert "/login/sso" not in (await client.get("/login")).text
    assert (await client.get("/login/sso/nobody/start")).status_code == 404


async def test_an_invited_user_is_linked_by_a_verified_address_only(make_app: MakeApp, issuer: Issuer) -> None:
    running, tenant = await start(make_app, issuer, makes_members=False)
    person = await running.person(tenant, RoleName.AGENT)
    async with running.app.storage.system("an address of a test") as connection:
        await connection.execute(
            text("UPDATE users SET email = 'wanjiku@kra.go.ke' WHERE email = :email"), {"email": person.email}
        )
    issuer.user["email_verified"] = False
    _, answer = await sign_on(running, tenant)
    assert answer.status_code == 403
    issuer.user["email_verified"] = True
    client, answer = await sign_on(running, tenant)
    assert answer.status_code == 303
    assert (await client.get("/api/auth/me")).json()["role"] == "agent"


async def test_strangers_are_refused_and_the_tenant_sees_why(make_app: MakeApp, issuer: Issuer) -> None:
    running, tenant = await start(make_app, issuer, makes_members=False)
    _, answer = await sign_on(running, tenant)
    assert answer.status_code == 403
    assert "Nobody has invited you yet" in answer.text
    issuer.user |= {"email": "somebody@elsewhere.org"}
    _, answer = await sign_on(running, tenant)
    assert answer.status_code == 403
    assert await rows(running, "SELECT 1 FROM users WHERE email LIKE '%kra.go.ke' OR email LIKE '%elsewhere.org'") == []
    assert len(await reasons(running)) == 2


async def test_an_issuer_cannot_open_what_belongs_to_another_organisation(make_app: MakeApp, issuer: Issuer) -> None:
    running, tenant = await start(make_app, issuer)
    victim = await running.person((await running.source()).tenant)
    async with running.app.storage.system("an address of a test") as connection:
        await connection.execute(
            text("UPDATE users SET email = 'wanjiku@kra.go.ke' WHERE email = :email"), {"email": victim.email}
        )
    client, answer = await sign_on(running, tenant)
    assert answer.status_code == 403
    assert "other organisations" in answer.text
    assert (await client.get("/api/auth/me")).status_code == 401
    assert await rows(running, "SELECT 1 FROM sso_identities") == []


@pytest.mark.parametrize(
    "spoil",
    [
        {"iss": "https://evil.example.org"},
        {"aud": ["somebody-else"]},
        {"aud": [CLIENT_ID, "other"], "azp": "other"},
        {"nonce": "another"},
        {"exp": int(time.time()) - 3_600},
        {"iat": None},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"sub": ""},
    ],
    ids=lambda spoil: next(iter(spoil)),
)
async def test_a_token_that_is_not_for_this_login_is_not_believed(
    make_app: MakeApp, issuer: Issuer, spoil: dict[str, Any]
) -> None:
    running, tenant = await start(make_app, issuer)
    issuer.spoil = spoil
    client, answer = await sign_on(running, tenant)
    assert answer.status_code == 403, answer.text
    assert (await client.get("/api/auth/me")).status_code == 401
    (reason,) = await reasons(running)
    assert reason.startswith("The ID token is not for us, or not valid now")


async def test_a_token_that_another_key_signed_is_not_believed(make_app: MakeApp, issuer: Issuer) -> None:
    running, tenant = await start(make_app, issuer)
    issuer.signing_key = RSAKey.generate_key(2048)
    _, answer = await sign_on(running, tenant)
    assert answer.status_code == 403
    assert await reasons(running) == ["The signature of the ID token is not the issuer's."]


async def test_a_new_key_of_the_issuer_is_found(make_app: MakeApp, issuer: Issuer) -> None:
    running, tenant = await start(make_app, issuer)
    assert (await sign_on(running, tenant))[1].status_code == 303
    issuer.key = RSAKey.generate_key(2048, auto_kid=True)
    assert (await sign_on(running, tenant))[1].status_code == 303


async def test_an_answer_is_good_once_and_in_the_browser_that_asked(make_app: MakeApp, issuer: Issuer) -> None:
    running, tenant = await start(make_app, issuer)
    client = await running.client(headers=HTML)
    back = await leave(client, tenant)
    stranger = await running.client(headers=HTML)
    assert (await stranger.get(back)).status_code == 400
    other = await running.client(headers=HTML)
    await leave(other, tenant)
    assert (await other.get(back)).status_code == 403  # The state is that of another browser.
    assert (await client.get(back)).status_code == 303
    assert (await client.get(back)).status_code == 400
    assert (await client.get("/login/sso/callback?state=x&error=access_denied")).status_code == 400


async def test_a_deactivated_member_is_refused(make_app: MakeApp, issuer: Issuer) -> None:
    running, tenant = await start(make_app, issuer)
    await sign_on(running, tenant)
    async with running.app.storage.system("deactivate a member of a test") as connection:
        await connection.execute(
            text(
                "UPDATE memberships SET active = false"
                " WHERE user_id = (SELECT id FROM users WHERE email = 'wanjiku@kra.go.ke')"
            )
        )
    client, answer = await sign_on(running, tenant)
    assert answer.status_code == 403
    assert (await client.get("/api/auth/me")).status_code == 401


async def test_where_it_is_required_passwords_open_for_super_admins_only(make_app: MakeApp, issuer: Issuer) -> None:
    running, tenant = await start(make_app, issuer, enforced=True)
    agent, admin = await running.person(tenant, RoleName.AGENT), await running.person(tenant)
    for person, status in ((agent, 403), (admin, 200)):
        client = await running.client()
        answer = await client.post("/api/auth/login", json={"email": person.email, "password": person.password})
        assert answer.status_code == status, answer.text
        if status == 403:
            assert answer.json()["code"] == "single_sign_on_required"
    assert (await sign_on(running, tenant))[1].status_code == 303


@pytest.mark.parametrize(("vouches", "path"), [(False, "/login/set-up"), (True, "/persons")])
async def test_a_second_factor_of_the_issuer_counts_where_the_tenant_says_so(
    make_app: MakeApp, issuer: Issuer, vouches: bool, path: str
) -> None:
    running, tenant = await start(make_app, issuer, vouches=vouches)
    async with running.app.storage.system("require a second factor") as connection:
        await connection.execute(
            text("UPDATE tenants SET settings = '{\"twoFactorRequired\": true}' WHERE id = :id"), {"id": tenant.id}
        )
    issuer.user["amr"] = ["pwd", "mfa"]
    _, answer = await sign_on(running, tenant)
    assert urlsplit(answer.headers["location"]).path == path


async def test_the_secret_is_sealed_never_shown_and_not_sent_to_another_issuer(
    make_app: MakeApp, issuer: Issuer
) -> None:
    running, tenant = await start(make_app, issuer)
    admin = await running.client(await running.person(tenant), headers=HTML)
    page = await admin.get("/settings/sso")
    api = await admin.get("/api/settings/sso")
    assert api.json()["has_secret"] is True
    assert api.json()["domains"] == ["kra.go.ke"]
    (row,) = await rows(running, "SELECT sealed_secret FROM sso_providers")
    (record,) = await rows(running, "SELECT r::text AS r FROM audit.records r WHERE action = 'config.sso.updated'")
    assert CLIENT_SECRET not in page.text + api.text + row.sealed_secret + record.r
    async with running_issuer() as other:
        moved = await set_up(running, tenant, other, client_secret=None)
    assert moved.status_code == 422
    assert "Give the client secret again" in moved.text
    assert (await set_up(running, tenant, issuer, client_secret=None, label="Renamed")).status_code == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"issuer": "http://10.0.0.1"}, 422),
        ({"issuer": "https://127.0.0.1:1"}, 422),
        ({"issuer": "ftp://example.org"}, 422),
        ({"issuer": "http://[broken"}, 422),
        ({"domains": []}, 422),
        ({"domains": ["not a domain"]}, 422),
        ({"role": "super_admin"}, 422),
        ({"role_map": {"boss": "super_admin"}}, 422),
        ({"role_map": {"boss": "emperor"}}, 422),
    ],
)
async def test_settings_that_cannot_work_are_refused(
    make_app: MakeApp, issuer: Issuer, change: dict[str, Any], status: int
) -> None:
    running = await make_app(settings=SETTINGS)
    answer = await set_up(running, (await running.source()).tenant, issuer, **change)
    assert answer.status_code == status, answer.text


async def test_an_issuer_that_calls_itself_something_else_is_refused(make_app: MakeApp, issuer: Issuer) -> None:
    running = await make_app(settings=SETTINGS)
    issuer.name = "https://evil.example.org"
    answer = await set_up(running, (await running.source()).tenant, issuer)
    assert answer.json()["code"] == "issuer_unusable"


async def test_a_domain_belongs_to_one_organisation(make_app: MakeApp, issuer: Issuer) -> None:
    running, _ = await start(make_app, issuer)
    answer = await set_up(running, (await running.source()).tenant, issuer, domains=["kra.go.ke", "other.org"])
    assert answer.status_code == 422
    assert "Another organisation" in answer.text


async def test_the_settings_page_sets_it_up_and_removes_it_for_admins_only(make_app: MakeApp, issuer: Issuer) -> None:
    running = await make_app(settings=SETTINGS)
    tenant = (await running.source()).tenant
    admin = await running.client(await running.person(tenant), headers=HTML)
    page = await admin.get("/settings/sso")
    assert "http://testserver/login/sso/callback" in page.text
    csrf = re.findall(r'name="csrf_token" value="([^"]+)"', page.text)[-1]
    fields = {
        "issuer": issuer.url,
        "label": "KRA",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "domains": "kra.go.ke, itax.kra.go.ke",
        "enabled": "on",
        "makes_members": "on",
        "role": "agent",
        "role_claim": "groups",
        "role_map": "tax = auditor\nbosses=admin",
        "csrf_token": csrf,
    }
    wrong = await admin.post("/settings/sso", data={**fields, "issuer": "http://10.1.1.1"})
    assert wrong.status_code == 422
    assert CLIENT_SECRET not in wrong.text
    assert (await admin.post("/settings/sso", data=fields)).status_code == 303
    stored = (await admin.get("/api/settings/sso")).json()
    assert stored["role_map"] == {"tax": "auditor", "bosses": "admin"}
    assert stored["domains"] == ["itax.kra.go.ke", "kra.go.ke"]
    assert "KRA" in (await admin.get("/settings/sso")).text
    developer = await running.client(await running.person(tenant, RoleName.DEVELOPER))
    assert (await developer.get("/api/settings/sso")).status_code == 403
    assert (await admin.post("/settings/sso/remove", data={"csrf_token": csrf})).status_code == 303
    assert (await admin.get("/api/settings/sso")).status_code == 404
