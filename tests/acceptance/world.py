"""A tenant with something of everything, and how the tests of this folder ask for it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import text
from starlette.routing import Route, Router

from chatnation.core.auth.devices import remember_device
from chatnation.core.auth.logins import Visitor, open_login
from chatnation.core.auth.permissions import RoleName
from chatnation.core.auth.security_policy import SecurityPolicy
from chatnation.core.ids import uuid7
from chatnation.core.ingestion.event import Delivery
from chatnation.core.plugin.conflicts import prefixes, route_path
from chatnation.core.queue.deadletters import DeadLetters
from chatnation.core.web import csrf
from chatnation.core.web.routing import Route as ApiRoute
from chatnation.testing.apps import Person, RunningApp, Source
from chatnation.testing.events import identify, page_view, track, whatsapp_message

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c626001000000ffff03000006000557bfabd40000000049454e44ae426082"
)
JSON, HTML = "application/json", "text/html"
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


def mounted(app: RunningApp) -> list[tuple[str, str]]:
    """Method and path of everything that the dashboard and the API answer, as the router has it."""
    return sorted(
        (method, route.path)
        for route in _router(app.app.web).routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD"
    )


def registered_routes(app: RunningApp) -> dict[tuple[str, str], ApiRoute]:
    """What describes each route that a plugin registered, by method and path."""
    prefix = prefixes(app.app.inventory)
    found = {}
    for entry in app.app.resources.routes:
        found[str(entry.item.method), route_path(entry.item, prefix(entry.plugin))] = entry.item
    return found


def _router(asgi: object) -> Router:
    """The innermost router: every middleware keeps the application that it is around in an attribute."""
    if isinstance(asgi, Router) and asgi.routes:
        return asgi
    for inner in ("app", "_asgi", "_otherwise", "_app"):
        found = getattr(asgi, inner, None)
        if callable(found):
            return _router(found)
    raise AssertionError(f"no router behind {asgi!r}: tell tests/acceptance/world.py what it keeps its inner one in")


@dataclass
class World:
    """A tenant with something of everything. `mark` is in every name and text that it has."""

    app: RunningApp
    mark: str
    source: Source
    admin: Person
    browser: httpx.AsyncClient
    """A client that is nobody's; a cookie goes with each request."""
    ids: dict[str, str] = field(default_factory=dict)
    """What stands for the parameters of a path."""

    async def login(self, person: Person, visitor: Visitor | None = None) -> str:
        """The token of another login of the same person."""
        user = await user_id(self.app, person)
        async with self.app.app.storage.system("another login for a test") as connection:
            now = self.app.app.clock.now()
            return (
                await open_login(connection, person.tenant.id, user, SecurityPolicy(), now, visitor or Visitor())
            ).token

    def path(self, template: str) -> str:
        """A path with this tenant's ids in it."""
        return with_ids(template, self.ids)


def with_ids(template: str, ids: Mapping[str, str]) -> str:
    """A path with `ids` in it; the same word means the same thing in every path."""

    def value(parameter: re.Match[str]) -> str:
        name = {"key_id": "key"}.get(parameter[1], parameter[1])
        if "danger-zone" in template:
            name = {"key": "user", "token": "deletion"}.get(name, name)
        assert name in ids, (
            f"{template}: tests/acceptance/world.py has nothing of the kind {name}; let `filled` make one"
        )
        return ids[name]

    return _PARAMETER.sub(value, template)


async def user_id(app: RunningApp, person: Person) -> int:
    async with app.app.storage.system("who is it") as connection:
        query = text("SELECT id FROM users WHERE lower(email) = lower(:email)")
        return int(await connection.scalar(query, {"email": person.email}))  # type: ignore[arg-type]


async def filled(app: RunningApp, mark: str) -> World:
    """A tenant with events, persons, sessions, people, keys, files, dead letters and records."""
    source = await app.source(f"{mark} Office")
    world = World(app, mark, source, await app.person(source.tenant), await app.client())
    await _traffic(world)
    await _dead_letter(world)
    await _people(world)
    await _things(world)
    return world


async def _traffic(world: World) -> None:
    mark = world.mark
    web = {"visitor": f"{mark}-browser", "session": f"{mark}-visit"}
    context = {"userAgent": f"Mozilla/5.0 {mark}Browser/1.0"}
    phone = f"2547{sum(map(ord, mark)) % 10_000:04}0001"
    batch = [
        page_view(f"/{mark}/start", title=f"{mark} title", referrer=f"https://{mark}.example", context=context, **web),
        track(f"{mark}_filed", {f"{mark}_property": f"{mark} value"}, **web),
        identify(f"{mark}-user", {"name": f"{mark} Wanjiru", "phone": phone}, **web),
        whatsapp_message(phone, f"{mark} habari"),
    ]
    await world.app.ingest_and_drain(batch, world.source)
    async with world.app.app.storage.tenant(world.source.tenant.id) as connection:
        person = await connection.scalar(text("SELECT person_id FROM events LIMIT 1"))
        message = await connection.scalar(text("SELECT message_id FROM events LIMIT 1"))
        session = await connection.scalar(text("SELECT session_id FROM sessions.sessions LIMIT 1"))
        change = await connection.scalar(text("SELECT max(id) FROM identity_log"))
    world.ids |= {"person": str(person), "message": str(message), "session": str(session), "change": str(change)}
    world.ids["known_id"] = f"{mark}-user"


async def _dead_letter(world: World) -> None:
    body = json.dumps({"batch": [track(f"{world.mark}_dead")]}).encode()
    delivery = Delivery(
        uuid7().bytes,
        world.source.tenant.id,
        world.source.project.id,
        received_ms=time.time_ns() // 1_000_000,
        count=1,
        body=body,
    )
    await DeadLetters(world.app.app).bury(delivery, f"{world.mark} reason")
    async with world.app.app.storage.tenant(world.source.tenant.id) as connection:
        world.ids["letter"] = str(await connection.scalar(text("SELECT max(id) FROM dead_letters")))


async def _people(world: World) -> None:
    app, mark, tenant = world.app, world.mark, world.source.tenant
    member = await app.person(tenant, RoleName.AGENT)
    world.ids |= {"user": str(await user_id(app, member)), "tenant": tenant.slug}
    world.ids |= {"entity": "user", "entry": "1", "deletion": "of-nobody"}
    visitor = Visitor(user_agent=f"{mark}Browser/1.0")
    async with app.app.storage.system("what a user has, for a test") as connection:
        admin = await user_id(app, world.admin)
        now = app.app.clock.now()
        await remember_device(connection, admin, visitor, now)
        rename = text("UPDATE users SET name = :name WHERE id IN (:admin, :member)")
        await connection.execute(rename, {"name": f"{mark} Person", "admin": admin, "member": int(world.ids["user"])})
        device = await connection.scalar(
            text("SELECT id FROM remembered_devices WHERE user_id = :user"), {"user": admin}
        )
        login = await open_login(connection, tenant.id, admin, SecurityPolicy(), now, visitor)
    world.ids |= {"device": str(device), "login": str(login.id)}


async def _things(world: World) -> None:
    mark = world.mark
    client = await signed_in(world.app, world.admin)

    async def made(method: str, path: str, body: object, key: str = "id") -> str:
        answer = await client.request(method, path, json=body)
        assert answer.status_code < 300, (path, answer.text)
        return str(answer.json()[key]) if key else ""

    world.ids["role"] = await made(
        "POST", "/api/settings/roles", {"name": f"{mark} role", "permissions": ["analytics.view"]}, "key"
    )
    project = {"name": f"{mark} project", "allowed_origins": [f"https://{mark}.example".lower()]}
    world.ids["project"] = await made("POST", "/api/settings/projects", project, "slug")
    key = {"name": f"{mark} key", "type": "read"}
    world.ids["key"] = await made("POST", "/api/settings/keys", key)
    invitation = {"email": f"{mark}@example.org".lower(), "role": "agent"}
    world.ids["invitation"] = await made("POST", "/api/tenants/current/invitations", invitation)
    token = {"name": f"{mark} token", "scopes": ["analytics.view"]}
    world.ids["token"] = await made("POST", "/api/auth/tokens", token)
    upload = await client.post("/api/media/upload", files={"file": (f"{mark}.png", PNG, "image/png")})
    assert upload.status_code == 201, upload.text
    world.ids |= {"file": upload.json()["id"], "plugin": "geoip", "colour": "206bc4"}
    world.ids |= {"table": "pages", "card": "figures"}
    world.ids |= {"ticket": upload.json()["url"].split("/media/")[1].split("/")[0], "filename": f"{mark}.png"}
    steps = [{"name": f"{mark} step", "select": {"events": [f"{mark} event"]}}]
    funnel = {"name": f"{mark} funnel", "definition": {"steps": steps}}
    world.ids["funnel"] = await made("POST", "/api/funnel/saved", funnel)
    texts = {"systemMessages": {"csatHeader": f"{mark} header"}, "navLabels": {"overview": f"{mark} overview"}}
    await made("PATCH", "/api/tenants/current", {"settings": texts}, "")
    records = (await client.get("/api/audit-logs")).json()
    world.ids["record_id"] = str(next(iter(records.values()))[0]["id"])


async def signed_in(app: RunningApp, person: Person) -> httpx.AsyncClient:
    """A client whose requests carry the token against forged ones."""
    return await app.client(person, headers={csrf.HEADER: csrf_token(app, person.token)})


def csrf_token(app: RunningApp, binding: str) -> str:
    secret = app.app.settings.secret_key
    assert secret is not None
    return csrf.make_token(secret.get_secret_value(), binding)


BODIES: dict[tuple[str, str], Any] = {
    ("PATCH", "/api/tenants/current/members/{user:int}"): {"role": "auditor"},
    ("POST", "/api/settings/keys/{key:int}/rotate"): {},
    ("PUT", "/api/settings/roles/{role}"): {"description": "changed"},
    ("PATCH", "/api/settings/projects/{project}"): {"name": "changed"},
    ("PATCH", "/api/settings/plugins/{plugin}"): {"enabled": True},
    ("PUT", "/api/settings/plugins/{plugin}/settings"): {"values": {}},
    ("POST", "/api/media/{file:uuid}/link"): {},
    ("PATCH", "/api/funnel/saved/{funnel:uuid}"): {"name": "changed"},
    ("POST", "/api/settings/danger-zone/archive-and-delete/{entity}/{key}"): {"confirm": "DELETE"},
}
"""Bodies that are as they should be, where a fault in the body would be found before the object is looked for."""


async def ask(client: httpx.AsyncClient, method: str, template: str, path: str, **options: Any) -> httpx.Response:
    """A request as a program sends it to the API, and a browser to a page."""
    headers = {"Accept": JSON if path.startswith("/api/") else HTML, **options.pop("headers", {})}
    if method not in csrf.SAFE_METHODS:
        if path.startswith("/api/"):
            options.setdefault("json", BODIES.get((method, template), {}))
        else:
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    return await client.request(method, path, headers=headers, **options)
