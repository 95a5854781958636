"""Two tenants that have everything: what one does with the other's ids reads, counts, changes and confirms nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from sqlalchemy import text

from chatnation.core.storage.tenant_tables import tenant_tables
from chatnation.core.web import csrf
from chatnation.core.web.cookies import SESSION_COOKIE
from chatnation.testing.apps import MakeApp, RunningApp
from tests.acceptance.permission_table import NEEDED
from tests.acceptance.world import BODIES, World, ask, csrf_token, filled, registered_routes, with_ids
from tests.plugins.bundled import bundled_plugins

MINE, THEIRS = "Zawadi", "Kipekee"
"""Words that are in everything that the one or the other tenant has, and nowhere else."""

NOBODYS = {
    "role": "987654",
    "project": "no-such-project",
    "person": "00000000-0000-5000-8000-000000000000",
    "message": "00000000-0000-5000-8000-000000000000",
    "session": "00000000-0000-5000-8000-000000000000",
    "known_id": "nobody",
    "file": "00000000-0000-5000-8000-000000000000",
    "funnel": "00000000-0000-5000-8000-000000000000",
    "login": "00000000-0000-5000-8000-000000000000",
    "device": "00000000-0000-5000-8000-000000000000",
    "tenant": "no-such-office",
}
"""Ids of the same kind that nobody has; all others are numbers."""
OF_THE_PAST = {"ingest_ledger"}
"""What the collector took before is counted here a little later, from Redis."""
NOTED_LATER = "last_used_at"
"""When a key was used is written a little later too."""
SHARED = {"plugin", "table", "card", "colour", "entity", "ticket", "filename", "deletion"}
"""Parameters that name nothing of a tenant, and links that are good for whoever has them."""


IN_BODIES: list[tuple[str, str, Callable[[dict[str, str]], dict[str, Any]]]] = [
    ("POST", "/api/settings/keys", lambda ids: {"name": "A key", "type": "write", "project": ids["project"]}),
    ("POST", "/api/tenants/current/invitations", lambda ids: {"email": "a@example.org", "role": ids["role"]}),
    ("PATCH", "/api/tenants/current/members/{user:int}", lambda ids: {"role_id": int(ids["role"])}),
    ("PUT", "/api/tenants/current", lambda ids: {"tenant": ids["tenant"]}),
]
"""Bodies in which everything is as it should be, but for one id that is not one's own."""


@pytest.fixture
async def worlds(make_app: MakeApp) -> tuple[World, World]:
    app = await make_app(*bundled_plugins())
    app.app.web.drain()  # Event streams answer and end, instead of staying open.
    return await filled(app, MINE), await filled(app, THEIRS)


async def test_whatever_one_tenant_does_nothing_of_the_other_is_read_changed_or_confirmed(
    worlds: tuple[World, World],
) -> None:
    mine, theirs = worlds
    foreign = {**mine.ids, **{name: theirs.ids[name] for name in theirs.ids.keys() - SHARED}}
    absent = {**mine.ids, **{name: NOBODYS.get(name, "987654321") for name in theirs.ids.keys() - SHARED}}
    before = await _digests(theirs)
    assert len(before) > 15, "the other tenant should have rows in nearly every table"
    faults = []
    for method, template in sorted(NEEDED, key=lambda entry: (entry[0] != "GET", entry[1], entry[0])):
        if NEEDED[method, template] == "public":
            continue
        named = set(re.findall(r"\{(\w+)", template)) - SHARED
        answers = []
        for ids in (foreign, absent):
            path = with_ids(template, ids)
            for query, body in _requests(mine.app, method, template, ids):
                answer = await _ask(mine, method, template, path, query, body)
                said = f"{method} {path}?{query} {body}"
                if answer.status_code >= 500:
                    faults.append(f"{said}: {answer.status_code}")
                if ids is foreign and (leak := _leak(answer, theirs, said)):
                    faults.append(f"{said}: {leak}")
                answers.append(_shape(answer, ids))
        half = len(answers) // 2
        if answers[:half] != answers[half:]:
            faults.append(f"{method} {template}: {answers[:half]} for the other's, {answers[half:]} for nobody's")
        if named and template.startswith("/api/") and answers[0][0] != 404:
            faults.append(f"{method} {template}: {answers[0]} where the other's thing is asked for, instead of 404")
    for method, template, body_of in IN_BODIES:
        shapes = []
        for ids in (foreign, absent):
            answer = await _ask(mine, method, template, mine.path(template), {}, body_of(ids))
            shapes.append(_shape(answer, ids))
        if shapes[0] != shapes[1] or shapes[0][0] < 400:
            faults.append(f"{method} {template}: {shapes[0]} for the other's in the body, {shapes[1]} for nobody's")
    after = await _digests(theirs)
    faults += [
        f"{table} of the other tenant changed" for table in before | after if before.get(table) != after.get(table)
    ]
    assert not faults, "\n".join(faults)


async def test_the_marks_are_there_for_whom_they_belong_to(worlds: tuple[World, World]) -> None:
    _, theirs = worlds
    seen = 0
    for method, template in NEEDED:
        if method == "GET" and NEEDED[method, template] != "public":
            answer = await _ask(theirs, method, template, theirs.path(template), {}, None)
            seen += THEIRS.lower() in answer.text.lower()
    assert seen > 25, "a leak could not be noticed: the marks of a tenant are hardly anywhere in its own answers"


async def test_a_query_that_forgot_its_filter_shows_the_rows_of_its_tenant_only(worlds: tuple[World, World]) -> None:
    mine, theirs = worlds
    async with mine.app.app.storage.system("every table of a tenant") as connection:
        tables = await tenant_tables(connection)
        everybody = {
            table.label: set(await connection.scalars(text(f"SELECT DISTINCT tenant_id FROM {table.quoted}")))
            for table in tables
        }
    both = {mine.source.tenant.id, theirs.source.tenant.id}
    filled_by_both = [label for label, tenants in everybody.items() if both <= tenants]
    assert len(filled_by_both) > 12
    for table in tables:
        async with mine.app.app.storage.tenant(mine.source.tenant.id) as connection:
            readable = await connection.scalar(
                text("SELECT has_table_privilege(CAST(:name AS text), 'SELECT')"), {"name": table.quoted}
            )
            if readable:
                seen = set(await connection.scalars(text(f"SELECT DISTINCT tenant_id FROM {table.quoted}")))
                assert seen <= {mine.source.tenant.id}, table.label
                text_of_all = await connection.scalar(text(f"SELECT string_agg(t::text, '') FROM {table.quoted} t"))
                assert THEIRS.lower() not in (text_of_all or "").lower(), table.label


async def _ask(
    world: World, method: str, template: str, path: str, query: dict[str, str], body: object
) -> httpx.Response:
    token = await world.login(world.admin)
    headers = {csrf.HEADER: csrf_token(world.app, token), "Cookie": f"{SESSION_COOKIE}={token}"}
    client = world.browser
    client.cookies.clear()
    options: dict[str, Any] = {"headers": headers, "params": query}
    if body is not None:
        options["json" if path.startswith("/api/") else "data"] = body
    return await ask(client, method, template, path, **options)


def _requests(
    app: RunningApp, method: str, template: str, ids: dict[str, str]
) -> Iterable[tuple[dict[str, str], dict[str, Any] | None]]:
    """What to send to a path: nothing, and the ids in every field of query and body that may take one."""
    route = registered_routes(app).get((method, template))
    query = dict(_guesses(route.query if route else None, ids))
    if method == "GET":
        yield {}, None
        if route is None:
            yield dict(_page_filters(ids)), None
        for name, value in query.items():
            yield {name: str(value)}, None
        return
    valid = BODIES.get((method, template))
    if valid is not None:
        yield {}, valid
    body = dict(_guesses(route.body, ids)) if route and route.body else dict(_page_filters(ids))
    if body:
        yield query, {**(valid or {}), **body}
    elif valid is None:
        yield query, None


_MEANT = {
    "project": "project", "tenant": "tenant", "role": "role", "role_id": "role", "actor_id": "user", "person": "person",
    "session": "person", "person_id": "person", "user_id": "user", "ids": "letter", "letter": "letter", "key": "key",
    "file": "file", "device": "device", "login": "login", "token": "token", "resource_id": "project",
    "after": "record_id", "id": "key", "slug": "tenant", "entry": "entry",
}  # fmt: skip
"""Fields of queries and bodies that name a thing, and what they name."""


def _guesses(model: type[BaseModel] | None, ids: dict[str, str]) -> Iterable[tuple[str, Any]]:
    for name, field in (model.model_fields if model else {}).items():
        if name in _MEANT:
            yield name, ids[_MEANT[name]]
        elif field.is_required() and name == "name":
            yield name, "changed"
        elif field.is_required() and name == "email":
            yield name, "somebody@example.org"


def _page_filters(ids: dict[str, str]) -> Iterable[tuple[str, str]]:
    for name in ("project", "tenant", "person", "role", "ids", "letter", "key", "device", "login", "token", "actor_id"):
        yield name, ids[_MEANT[name]]


def _leak(answer: httpx.Response, theirs: World, said: str) -> str:
    """What of the other tenant is in the answer, which may repeat what it was asked."""
    content = answer.text + " ".join(f"{name}: {value}" for name, value in answer.headers.items())
    if THEIRS.lower() in content.lower().replace(theirs.source.tenant.slug, "").replace(theirs.ids["project"], ""):
        found = content.lower().index(THEIRS.lower())
        return f"tells {content[max(found - 80, 0) : found + 80]!r}"
    return ""


def _shape(answer: httpx.Response, ids: dict[str, str]) -> tuple[Any, ...]:
    """What an answer tells: status, where it leads, and what kind of thing it says, without what it was asked."""
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        problem = answer.json()
        return answer.status_code, problem["code"], _without(problem["detail"], ids)
    return answer.status_code, _without(answer.headers.get("location", "").partition("?")[0], ids)


def _without(words: str, ids: dict[str, str]) -> str:
    for value in sorted(ids.values(), key=len, reverse=True):
        words = re.sub(rf"\b{re.escape(value)}\b", "…", words)
    return words


async def _digests(world: World) -> dict[str, str]:
    """A digest of all rows that a tenant has, by table."""
    digests = {}
    async with world.app.app.storage.system("compare every row of a tenant") as connection:
        for table in await tenant_tables(connection):
            if table.label in OF_THE_PAST:
                continue
            row = f"to_jsonb(t) - '{NOTED_LATER}'"
            query = (
                f"SELECT md5(string_agg(({row})::text, '|' ORDER BY ({row})::text))"
                f" FROM {table.quoted} t WHERE tenant_id = :id"
            )
            digest = await connection.scalar(text(query), {"id": world.source.tenant.id})
            if digest:
                digests[table.label] = str(digest)
        users = (
            "SELECT md5(string_agg(u::text, '|' ORDER BY u.id)) FROM users u"
            " JOIN memberships m ON m.user_id = u.id WHERE m.tenant_id = :id"
        )
        digests["users"] = str(await connection.scalar(text(users), {"id": world.source.tenant.id}))
        tenant = "SELECT md5(t::text) FROM tenants t WHERE id = :id"
        digests["tenants"] = str(await connection.scalar(text(tenant), {"id": world.source.tenant.id}))
    return digests
