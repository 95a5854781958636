"""Every route and page, asked by everybody who might: what happens is what the permission table says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from chatnation.core.auth.access_tokens import LIFETIME, AccessTokens
from chatnation.core.auth.effective import Standings
from chatnation.core.auth.keys import KeyType, create_key
from chatnation.core.auth.permissions import RoleName
from chatnation.core.web import csrf
from chatnation.core.web.cookies import SESSION_COOKIE
from chatnation.testing.apps import MakeApp, Person, RunningApp
from tests.acceptance.permission_table import (
    COLLECTOR,
    EVERY_ROLE,
    HOLDERS,
    INTROSPECTION,
    LINES,
    NEEDED,
    READ_KEY,
)
from tests.acceptance.world import HTML, JSON, World, ask, csrf_token, filled, mounted, signed_in, user_id
from tests.plugins.bundled import bundled_plugins

ADDRESS_ERRORS = frozenset({400, 404, 405, 409, 410, 415, 416, 422, 429})
"""What somebody who was let in may be told of a request that names nothing, or something that is not there."""
OWN_REFUSALS = frozenset({"not_allowed", "login_needed", "wrong_password", "names_persons"})
"""Codes of a 403 that a handler gives for a reason of its own, after the permission was found."""
ASKS_AGAIN = frozenset({"/login/confirm", "/settings/password"})
"""Pages that show their form once more with a 403 when the password in it is wrong."""
SIGNS_OUT = frozenset({"/settings/profile/logins/close-all", "/settings/security/sign-everybody-out"})
"""Leads to the login page because it did what it was asked."""


@dataclass(frozen=True)
class Asker:
    """Somebody who asks. `token` gives the cookie of the next request; `bearer` is a key, or gives the next one."""

    known: bool
    permissions: frozenset[str] = frozenset()
    foreign: bool = False
    token: Callable[[], Awaitable[str]] | None = None
    bearer: str | Callable[[], Awaitable[str]] | None = None


Prepare = Callable[[World], Awaitable[Asker]]


async def _anonymous(world: World) -> Asker:
    return Asker(known=False)


def _role(role: str) -> Prepare:
    async def prepare(world: World) -> Asker:
        person = await world.app.person(world.source.tenant, RoleName(role))
        held = frozenset(name for name, holders in HOLDERS.items() if role in holders)
        return Asker(known=True, permissions=held, token=lambda: world.login(person))

    return prepare


async def _another_tenants_super_admin(world: World) -> Asker:
    person = await world.app.person((await world.app.source("Somebody else")).tenant)
    return Asker(known=True, permissions=frozenset(HOLDERS), foreign=True, token=lambda: world.login(person))


async def _revoked_session(world: World) -> Asker:
    person = await world.app.person(world.source.tenant)
    client = await signed_in(world.app, person)
    assert (await client.delete("/api/auth/sessions")).status_code == 200
    return Asker(known=False, token=_same(person.token))


async def _expired_session(world: World) -> Asker:
    person = await world.app.person(world.source.tenant)
    async with world.app.app.storage.system("let a login expire") as connection:
        await connection.execute(
            text("UPDATE login_sessions SET expires_at = now() - interval '1 second' WHERE user_id = :user"),
            {"user": await user_id(world.app, person)},
        )
    return Asker(known=False, token=_same(person.token))


async def _deactivated_member(world: World) -> Asker:
    person = await world.app.person(world.source.tenant)
    admin = await signed_in(world.app, world.admin)
    path = f"/api/tenants/current/members/{await user_id(world.app, person)}/deactivate"
    assert (await admin.patch(path)).status_code == 200
    return Asker(known=False, token=_same(person.token))


def _key(kind: KeyType, permissions: frozenset[str], *, known: bool = True) -> Prepare:
    async def prepare(world: World) -> Asker:
        tenant, project = world.source.tenant, world.source.project
        async with world.app.app.storage.system("a key for a test") as connection:
            made = await create_key(connection, tenant.id, "A key", kind, project_id=project.id)
        return Asker(known=known, permissions=permissions, bearer=made.secret)

    return prepare


def _scoped_key(scope: str) -> Prepare:
    async def prepare(world: World) -> Asker:
        async with world.app.app.storage.system("a key for a test") as connection:
            made = await create_key(connection, world.source.tenant.id, "A key", KeyType.READ, scopes=[scope])
        return Asker(known=True, permissions=frozenset({scope}), bearer=made.secret)

    return prepare


async def _revoked_key(world: World) -> Asker:
    async with world.app.app.storage.system("a key for a test") as connection:
        made = await create_key(connection, world.source.tenant.id, "A key", KeyType.READ)
        await connection.execute(text("UPDATE api_keys SET revoked_at = now() WHERE id = :id"), {"id": made.id})
    return Asker(known=False, bearer=made.secret)


async def _personal_token(world: World) -> Asker:
    client = await signed_in(world.app, await world.app.person(world.source.tenant))
    body = {"name": "A program", "scopes": ["audit.view"]}
    made = await client.post("/api/auth/tokens", json=body)
    return Asker(known=True, permissions=frozenset({"audit.view"}), bearer=made.json()["token"])


async def _access_token(world: World) -> Asker:
    held = frozenset(name for name, holders in HOLDERS.items() if RoleName.AUDITOR in holders)
    person = await world.app.person(world.source.tenant, RoleName.AUDITOR)
    token = await _issued(world, person)

    async def still_good() -> str:
        nonlocal token
        if not await _open_login(world, token):  # Some of the requests close it.
            token = await _issued(world, person)
        return token

    return Asker(known=True, permissions=held, bearer=still_good)


async def _expired_access_token(world: World) -> Asker:
    person = await world.app.person(world.source.tenant)
    login = await _open_login(world, await _issued(world, person))
    assert login is not None
    issued = world.app.app.clock.now() - 2 * LIFETIME
    return Asker(known=False, bearer=_tokens(world).issue(login, await user_id(world.app, person), issued))


async def _issued(world: World, person: Person) -> str:
    client = await world.app.client()
    answer = await client.post("/api/auth/token", json={"email": person.email, "password": person.password})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def _open_login(world: World, token: str) -> UUID | None:
    """The login that an access token names, while it is open."""
    login = _tokens(world).login_of(token, world.app.app.clock.now())
    async with world.app.app.storage.system("find a login for a test") as connection:
        found = await connection.execute(text("SELECT id FROM login_sessions WHERE id = :id"), {"id": login})
        return found.scalar()


def _tokens(world: World) -> AccessTokens:
    secret = world.app.app.settings.secret_key
    assert secret is not None
    return AccessTokens(secret.get_secret_value())


def _same(token: str) -> Callable[[], Awaitable[str]]:
    async def again() -> str:
        return token

    return again


ASKERS: dict[str, Prepare] = {
    "anonymous": _anonymous,
    "another tenant's super admin": _another_tenants_super_admin,
    "revoked session": _revoked_session,
    "expired session": _expired_session,
    "deactivated member": _deactivated_member,
    "read key": _key(KeyType.READ, READ_KEY),
    "read key with one scope": _scoped_key("persons.view"),
    "write key": _key(KeyType.WRITE, frozenset(), known=False),
    "revoked key": _revoked_key,
    "personal token": _personal_token,
    "auditor's access token": _access_token,
    "expired access token": _expired_access_token,
    **{role: _role(role) for role in sorted(EVERY_ROLE)},
}
"""Those who may change most come last, so that the others find what they ask for."""


@pytest.fixture
async def app(make_app: MakeApp) -> RunningApp:
    app = await make_app(*bundled_plugins())
    app.app.web.drain()  # Event streams answer and end, instead of staying open.
    return app


async def test_every_route_page_and_permission_has_its_line_in_the_table(app: RunningApp) -> None:
    assert len(LINES) == len(NEEDED), "tests/acceptance/permission_table.py says two things of the same route"
    served = {entry for entry in mounted(app) if entry[1] not in INTROSPECTION and not entry[1].startswith("/static/")}
    missing = sorted(served - NEEDED.keys())
    assert not missing, f"say in tests/acceptance/permission_table.py, under its permission, who may reach {missing}"
    gone = sorted(NEEDED.keys() - served)
    assert not gone, f"take out of tests/acceptance/permission_table.py what nobody serves any more: {gone}"
    permissions = {entry.item.name for entry in app.app.services.get(Standings).defaults.registered}
    assert permissions == HOLDERS.keys(), (
        "HOLDERS in tests/acceptance/permission_table.py and the registered permissions differ: "
        f"{sorted(permissions ^ HOLDERS.keys())}; say there which roles hold a new one"
    )
    ingest = {entry.item.path for entry in app.app.resources.ingest_routes}
    assert all(path.startswith(COLLECTOR) for path in ingest), f"say in COLLECTOR that these take no login: {ingest}"


async def test_everything_lets_in_whom_the_table_names_and_nobody_else(app: RunningApp) -> None:
    world = await filled(app, "Mine")
    wrong = []
    for asker, prepare in ASKERS.items():
        who = await prepare(world)
        async for method, template, answer in _answers(world, who):
            fault = _fault(who, method, template, answer)
            if fault:
                wrong.append(f"{asker}: {method} {template}: {answer.status_code} {_code(answer)}, but {fault}")
    assert not wrong, "\n".join(wrong)


async def _answers(world: World, who: Asker) -> AsyncIterator[tuple[str, str, httpx.Response]]:
    # Reading first, so that nothing which a change took away is missed; what ends logins gets one of its own.
    client, token = await world.app.client(), ""
    for method, template in sorted(NEEDED, key=lambda entry: (entry[0] != "GET", entry[1], entry[0])):
        # A browser asks for pages and is led to the login page; in JSON, a refusal says which of them it is.
        html = not (who.known or who.bearer or template.startswith("/api/"))
        headers = {"Accept": HTML if html else JSON}
        if who.bearer:
            headers["Authorization"] = f"Bearer {await who.bearer() if callable(who.bearer) else who.bearer}"
        if who.token:
            if method != "GET" or not token:
                token = await who.token()
            headers["Cookie"] = f"{SESSION_COOKIE}={token}"
            headers[csrf.HEADER] = csrf_token(world.app, token)
        client.cookies.clear()
        yield method, template, await ask(client, method, template, world.path(template), headers=headers)


def _fault(who: Asker, method: str, template: str, answer: httpx.Response) -> str:
    """What should have been answered instead; nothing if it is right."""
    needed, status, code = NEEDED[method, template], answer.status_code, _code(answer)
    if status >= 500:
        return "nobody is told of an error of ours"
    to_login = status == 303 and answer.headers["location"].partition("?")[0] == "/login"
    if who.bearer and not who.known:
        return "" if (status, code) == (401, "bad_key") else "a key that does not open this is refused with 401"
    if needed == "public":
        return "" if (status, code) not in {(401, "not_signed_in"), (403, "forbidden")} else "anybody may reach it"
    if not who.known:
        asked = status == 401 if template.startswith("/api/") else to_login
        return "" if asked else "strangers are asked to sign in"
    if needed in HOLDERS and needed not in who.permissions:
        return "" if (status, code) == (403, "forbidden") else f"it needs {needed}, so the answer is a 403"
    if who.foreign and template.startswith("/api/") and "{" in template and "{plugin}" not in template:
        return "" if status == 404 else "to another tenant this does not exist"
    if 200 <= status < 400:
        return "they are signed in" if to_login and template not in SIGNS_OUT else ""
    if status in ADDRESS_ERRORS or code in OWN_REFUSALS or (status == 403 and template in ASKS_AGAIN):
        return ""
    return "they may"


def _code(answer: httpx.Response) -> str:
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        return str(answer.json()["code"])
    return ""
