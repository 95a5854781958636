"""The danger zone: roles, members and what plugins add; copied into an archive, deleted, restored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import Actor, Archivable, ChatnationError, Choice, Doomed, Plugin, hookimpl
from chatnation.core.auth.permissions import RoleName
from chatnation.plugins.audit.plugin import AuditPlugin
from chatnation.plugins.danger_zone.plugin import DangerZonePlugin
from chatnation.plugins.dashboard.plugin import DashboardPlugin
from chatnation.plugins.media.plugin import MediaPlugin
from chatnation.testing import FakeClock, MakeApp, RunningApp
from chatnation.testing.apps import PASSWORD, Person

PLUGINS: tuple[type[Plugin], ...] = (DashboardPlugin, AuditPlugin, MediaPlugin, DangerZonePlugin)
API = "/api/settings/danger-zone"
PAGE = "/settings/danger-zone"
HTML = {"Accept": "text/html"}


async def acting(running: RunningApp, person: Person) -> httpx.AsyncClient:
    """A client that sends the token of forms along."""
    client = await running.client(person)
    page = await client.get("/settings/password", headers=HTML)
    client.headers["X-CSRF-Token"] = page.text.partition('name="csrf-token" content="')[2].partition('"')[0]
    assert client.headers["X-CSRF-Token"]
    return client


async def user_id(running: RunningApp, person: Person) -> int:
    return int((await rows(running, f"SELECT id FROM users WHERE email = '{person.email}'"))[0][0])


async def rows(running: RunningApp, query: str) -> list[tuple[Any, ...]]:
    async with running.app.storage.system("look in a test") as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


async def delete(client: httpx.AsyncClient, entity: str, key: object, confirm: str) -> httpx.Response:
    return await client.post(f"{API}/archive-and-delete/{entity}/{key}", json={"confirm": confirm})


async def make_role(client: httpx.AsyncClient, name: str = "Helpers") -> str:
    answer = await client.post(
        "/api/settings/roles", json={"name": name, "description": "Help.", "permissions": ["analytics.view"]}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["key"])


async def test_a_role_is_copied_deleted_and_restored_with_its_members(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS)
    source = await running.source()
    client = await acting(running, await running.person(source.tenant))
    member = await running.person(source.tenant, RoleName.AGENT)
    number = await user_id(running, member)
    key = await make_role(client)
    changed = await client.patch(f"/api/tenants/current/members/{number}", json={"role": key})
    assert changed.status_code == 200, changed.text
    preview = (await client.get(f"{API}/preview/role/{key}")).json()
    assert (preview["name"], preview["counts"]) == ("Helpers", {"members who become agents": 1})
    for typed in ("DELETE", "helpers", ""):
        refused = await delete(client, "role", key, typed)
        assert (refused.status_code, refused.json()["code"]) == (422, "confirmation_wrong")
    done = await delete(client, "role", key, "Helpers")
    assert done.status_code == 200, done.text
    assert await rows(running, f"SELECT role, role_id FROM memberships WHERE user_id = {number}") == [("agent", None)]
    assert (await delete(client, "role", key, "Helpers")).status_code == 404
    (entry,) = (await client.get(f"{API}/archive")).json()["items"]
    assert (entry["id"], entry["entity"], entry["name"]) == (done.json()["archive"], "role", "Helpers")
    assert entry["snapshot"]["permissions"] == ["analytics.view"]
    restored = await client.post(f"{API}/archive/{entry['id']}/restore")
    assert restored.json() == {"name": "Helpers"}
    ((role, role_id),) = await rows(running, f"SELECT role, role_id FROM memberships WHERE user_id = {number}")
    assert role == "agent"
    assert role_id is not None
    again = await client.post(f"{API}/archive/{entry['id']}/restore")
    assert (again.status_code, again.json()["code"]) == (409, "restored_already")
    actions = [row[0] for row in await rows(running, "SELECT action FROM audit.records ORDER BY id")]
    assert actions[-2:] == ["danger_zone.role.deleted", "danger_zone.role.restored"]


async def test_a_member_loses_everything_here_at_once_and_can_come_back(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS)
    source = await running.source()
    client = await acting(running, await running.person(source.tenant))
    member = await running.person(source.tenant, RoleName.AUDITOR)
    theirs = await running.client(member)
    number = await user_id(running, member)
    assert (await theirs.get("/api/auth/me")).status_code == 200
    done = await delete(client, "user", number, member.email)
    assert done.status_code == 200, done.text
    assert (await theirs.get("/api/auth/me")).status_code == 401
    assert await rows(running, f"SELECT count(*) FROM memberships WHERE user_id = {number}") == [(0,)]
    assert await rows(running, f"SELECT count(*) FROM users WHERE id = {number}") == [(1,)]
    restored = await client.post(f"{API}/archive/{done.json()['archive']}/restore")
    assert restored.status_code == 200, restored.text
    assert await rows(running, f"SELECT role, active FROM memberships WHERE user_id = {number}") == [("auditor", True)]
    assert {type(event).__name__ for event in running.domain_events} >= {"MemberDeactivated", "MemberReactivated"}


async def test_nobody_deletes_themselves_a_system_role_or_the_last_super_admin(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS)
    source = await running.source()
    boss, deputy = await running.person(source.tenant), await running.person(source.tenant)
    client = await acting(running, boss)
    own = await user_id(running, boss)
    answer = await delete(client, "user", own, boss.email)
    assert (answer.status_code, answer.json()["code"]) == (409, "impossible")
    for role in RoleName:
        answer = await delete(client, "role", role, role)
        assert (answer.status_code, answer.json()["code"]) == (409, "impossible")
    assert (await delete(client, "user", await user_id(running, deputy), deputy.email)).status_code == 200
    assert await rows(running, "SELECT count(*) FROM danger_zone.archive") == [(1,)]


async def test_a_role_that_was_given_the_zone_deletes_nobody_above_it(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS)
    source = await running.source()
    boss = await running.person(source.tenant)
    client = await acting(running, boss)
    made = await client.post(
        "/api/settings/roles",
        json={"name": "Cleaners", "permissions": ["admin.danger_zone", "users.delete", "roles.delete"]},
    )
    cleaner = await running.person(source.tenant, RoleName.AGENT)
    number = await user_id(running, cleaner)
    await client.patch(f"/api/tenants/current/members/{number}", json={"role": made.json()["key"]})
    theirs = await acting(running, cleaner)
    refused = await delete(theirs, "user", await user_id(running, boss), boss.email)
    assert refused.status_code == 403, refused.text
    tenant = source.tenant
    refused = await delete(theirs, "tenant", tenant.slug, tenant.name)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")


async def test_a_login_that_was_shown_long_ago_is_not_enough_until_it_is_confirmed(make_app: MakeApp) -> None:
    clock = FakeClock()
    running = await make_app(*PLUGINS, clock=clock)
    source = await running.source()
    client = await acting(running, await running.person(source.tenant))
    key = await make_role(client)
    clock.move(timedelta(minutes=11))
    for answer in (
        await delete(client, "role", key, "Helpers"),
        await client.get(f"{API}/preview/role/{key}"),
        await client.post(f"{API}/export"),
        await delete(client, "tenant", source.tenant.slug, source.tenant.name),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "fresh_login_needed")
    page = await client.get(f"{PAGE}/delete/role/{key}", headers=HTML)
    assert page.status_code == 303
    assert page.headers["location"].startswith("/login/confirm?next=")
    wrong = await client.post("/api/auth/confirm", json={"password": "x"})
    assert wrong.status_code == 403
    assert (await client.post("/api/auth/confirm", json={"password": PASSWORD})).status_code == 204
    assert (await delete(client, "role", key, "Helpers")).status_code == 200


@pytest.mark.parametrize("role", [role for role in RoleName if role is not RoleName.SUPER_ADMIN])
async def test_only_who_holds_the_permission_comes_in(make_app: MakeApp, role: RoleName) -> None:
    running = await make_app(*PLUGINS)
    source = await running.source()
    client = await acting(running, await running.person(source.tenant, role))
    assert (await delete(client, "tenant", source.tenant.slug, source.tenant.name)).status_code == 403
    assert (await client.get(f"{API}/archive")).status_code == 403
    assert (await client.get(PAGE, headers=HTML)).status_code == 403


async def test_nothing_of_another_tenant_is_reached(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS)
    ours, theirs = await running.source(), await running.source()
    boss = await running.person(ours.tenant)
    client = await acting(running, boss)
    key = await make_role(client)
    archived = (await delete(client, "role", key, "Helpers")).json()["archive"]
    kept = await make_role(client, "Keepers")
    stranger = await acting(running, await running.person(theirs.tenant))
    for answer in (
        await delete(stranger, "role", kept, "Keepers"),
        await delete(stranger, "user", await user_id(running, boss), boss.email),
        await delete(stranger, "tenant", ours.tenant.slug, ours.tenant.name),
        await stranger.post(f"{API}/archive/{archived}/restore"),
        await stranger.get(f"{API}/preview/role/{kept}"),
        await delete(stranger, "user", "9" * 30, "x"),
        await delete(stranger, "cupboard", "1", "x"),
    ):
        assert answer.status_code == 404, answer.text
    assert (await stranger.get(f"{API}/archive")).json()["items"] == []
    assert (await client.get("/api/auth/me")).status_code == 200


class ShelvesPlugin(Plugin):
    """Shelves

    Keeps shelves, for tests.
    """

    name = "shelves"
    version = "1"
    shelves: dict[str, str]

    @hookimpl
    def register_archivables(self) -> Iterable[Archivable]:
        self.shelves = {"a": "Top shelf", "b": "Stuck shelf"}
        return [
            Archivable("shelf", "Shelf", "settings.manage", "Books fall.", self._choices, self._examine, self._delete)
        ]

    async def _choices(self, connection: AsyncConnection, actor: Actor) -> Sequence[Choice]:
        return [Choice(key, name) for key, name in self.shelves.items()]

    async def _examine(self, connection: AsyncConnection, actor: Actor, key: str) -> Doomed:
        counts: Mapping[str, int] = {"books": 7}
        return Doomed(key, self.shelves[key], counts, {"name": self.shelves[key]})

    async def _delete(self, connection: AsyncConnection, actor: Actor, doomed: Doomed) -> None:
        if doomed.key == "b":
            raise ChatnationError("The shelf is stuck.")
        del self.shelves[doomed.key]


async def test_what_a_plugin_names_is_deleted_here_and_a_failure_leaves_no_copy(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS, ShelvesPlugin)
    client = await acting(running, await running.person((await running.source()).tenant))
    assert "Top shelf" in (await client.get(PAGE, headers=HTML)).text
    assert (await client.get(f"{API}/preview/shelf/a")).json()["counts"] == {"books": 7}
    assert (await delete(client, "shelf", "b", "Stuck shelf")).status_code >= 400
    assert (await client.get(f"{API}/archive")).json()["items"] == []
    done = (await delete(client, "shelf", "a", "Top shelf")).json()
    answer = await client.post(f"{API}/archive/{done['archive']}/restore")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_restorable")


async def test_the_pages_lead_from_a_choice_to_a_copy_in_the_archive(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS)
    source = await running.source()
    client = await acting(running, await running.person(source.tenant))
    assert "Nothing was deleted here" in (await client.get(PAGE, headers=HTML)).text
    key = await make_role(client)
    chosen = await client.get(f"{PAGE}/choose", params={"entity": "role", "key": key}, headers=HTML)
    page = await client.get(chosen.headers["location"], headers=HTML)
    assert "Helpers" in page.text
    wrong = await client.post(chosen.headers["location"], data={"confirm": "DELETE"}, headers=HTML)
    assert wrong.status_code == 422
    assert "nothing was deleted" in wrong.text
    right = await client.post(
        chosen.headers["location"], data={"confirm": "Helpers"}, headers=HTML, follow_redirects=True
    )
    assert "a copy is in the archive" in right.text
    assert "Restore" in right.text
    assert "Helpers" in (await client.get(f"{PAGE}/archive", headers=HTML)).text
