"""Members, invitations and roles over HTTP: the API, the pages, and that access ends everywhere."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

import httpx
import pytest

from chatnation.core.auth.events import MemberDeactivated, MemberReactivated, MemberRoleChanged
from chatnation.core.auth.permissions import RoleName
from chatnation.core.context import Tenant
from chatnation.testing.apps import MakeApp, Person, RunningApp
from tests.core.web.conftest import csrf_token
from tests.core.web.postbox import Kept, Postbox, kept_by

MEMBERS, INVITATIONS, ROLES = "/api/tenants/current/members", "/api/tenants/current/invitations", "/api/settings/roles"
HTML = {"Accept": "text/html"}


@dataclass(frozen=True, slots=True)
class Office:
    """An organisation with a super_admin, an admin and an agent, each signed in."""

    app: RunningApp
    tenant: Tenant
    boss: httpx.AsyncClient
    admin: httpx.AsyncClient
    agent: httpx.AsyncClient
    people: dict[str, Person]
    kept: Kept

    async def ids(self) -> dict[str, int]:
        """The user ids of the members, by the role they have."""
        return {row["role"]: row["user_id"] for row in (await self.boss.get(MEMBERS)).json()["members"]}


async def signed_in(app: RunningApp, person: Person) -> httpx.AsyncClient:
    client = await app.client(person)
    client.headers["X-CSRF-Token"] = await csrf_token(client)
    return client


@pytest.fixture
async def office(make_app: MakeApp) -> Office:
    app = await make_app(Postbox)
    tenant = (await app.source("KRA")).tenant
    people = {role: await app.person(tenant, RoleName(role)) for role in ("super_admin", "admin", "agent")}
    clients = {role: await signed_in(app, person) for role, person in people.items()}
    return Office(app, tenant, clients["super_admin"], clients["admin"], clients["agent"], people, kept_by(app))


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def test_only_who_manages_people_sees_them(office: Office) -> None:
    members = (await office.admin.get(MEMBERS)).json()["members"]
    assert {member["role"] for member in members} == {"super_admin", "admin", "agent"}
    for path in (MEMBERS, INVITATIONS, ROLES, f"{ROLES}/permissions"):
        assert code(await office.agent.get(path)) == (403, "forbidden")
        assert (await (await office.app.client()).get(path)).status_code == 401
    assert (await office.agent.post(INVITATIONS, json={"email": "x@example.org"})).status_code == 403


async def test_an_invitation_is_mailed_recorded_and_listed_without_its_token(office: Office) -> None:
    made = await office.admin.post(INVITATIONS, json={"email": "new@example.org", "role": "AUDITOR"})
    assert made.status_code == 201, made.text
    (mail,) = office.kept.mails
    assert (mail.to, mail.template, mail.tenant_id) == ("new@example.org", "invite", office.tenant.id)
    assert mail.values["workspace"] == office.tenant.name
    listed = await office.admin.get(INVITATIONS)
    assert [row["role"] for row in listed.json()["invitations"]] == ["auditor"]
    assert office.kept.token() not in listed.text + made.text
    (record,) = office.kept.records
    assert (record.action, record.details) == (
        "config.invitation.created",
        {"email": "new@example.org", "role": "auditor"},
    )


async def test_nobody_invites_above_their_own_role(office: Office) -> None:
    answer = await office.admin.post(INVITATIONS, json={"email": "new@example.org", "role": "super_admin"})
    assert code(answer) == (403, "not_allowed")
    assert office.kept.mails == []


async def test_a_member_and_nonsense_are_not_invited(office: Office) -> None:
    member = await office.admin.post(INVITATIONS, json={"email": office.people["agent"].email.upper()})
    assert code(member) == (409, "impossible")
    assert code(await office.admin.post(INVITATIONS, json={"email": "nobody"})) == (422, "invalid_name")
    assert code(await office.admin.post(INVITATIONS, json={"email": "a@b", "role": "x"})) == (404, "not_found")


async def test_an_invitation_is_sent_again_with_another_link_and_revoked(office: Office) -> None:
    made = (await office.admin.post(INVITATIONS, json={"email": "new@example.org"})).json()
    first = office.kept.token()
    assert (await office.admin.post(f"{INVITATIONS}/{made['id']}/resend")).status_code == 200
    second = office.kept.token()
    stranger = await office.app.client()

    async def valid(token: str) -> bool:
        return bool((await stranger.get("/api/invitations/validate", params={"token": token})).json()["valid"])

    assert (first != second, await valid(first), await valid(second)) == (True, False, True)
    assert (await office.admin.delete(f"{INVITATIONS}/{made['id']}")).status_code == 204
    assert not await valid(second)
    assert code(await office.admin.delete(f"{INVITATIONS}/{made['id']}")) == (404, "not_found")
    assert office.kept.actions() == [f"config.invitation.{verb}" for verb in ("created", "resent", "revoked")]


async def test_nobody_can_be_pestered_with_invitations(office: Office) -> None:
    answers = [await office.admin.post(INVITATIONS, json={"email": "new@example.org"}) for _ in range(12)]
    assert (answers[0].status_code, code(answers[-1])) == (201, (429, "too_many_attempts"))
    assert len(office.kept.mails) <= 10
    assert (await office.admin.post(INVITATIONS, json={"email": "other@example.org"})).status_code == 201


async def test_a_role_change_is_in_force_with_the_next_request(office: Office) -> None:
    agent = (await office.ids())["agent"]
    assert (await office.agent.get(MEMBERS)).status_code == 403
    changed = await office.boss.patch(f"{MEMBERS}/{agent}", json={"role": "admin"})
    assert (changed.status_code, changed.json()["role"]) == (200, "admin")
    assert (await office.agent.get(MEMBERS)).status_code == 200
    assert office.kept.records[-1].details["to"] == "admin"
    assert MemberRoleChanged(office.tenant.id, agent) in office.app.domain_events


async def test_the_last_super_admin_and_oneself_are_guarded(office: Office) -> None:
    ids = await office.ids()
    boss, admin = ids["super_admin"], ids["admin"]
    assert code(await office.boss.patch(f"{MEMBERS}/{boss}", json={"role": "agent"})) == (409, "impossible")
    assert code(await office.boss.patch(f"{MEMBERS}/{boss}/deactivate")) == (409, "impossible")
    assert code(await office.admin.patch(f"{MEMBERS}/{boss}/deactivate")) == (403, "not_allowed")
    assert code(await office.admin.patch(f"{MEMBERS}/{admin}", json={"role": "super_admin"})) == (409, "impossible")


async def test_a_deactivated_member_is_out_of_every_process_within_a_second(office: Office, make_app: MakeApp) -> None:
    other_process = await make_app(Postbox, like=office.app)
    elsewhere = await other_process.client(office.people["agent"])
    assert (await office.agent.get("/api/auth/me")).status_code == 200
    assert (await elsewhere.get("/api/auth/me")).status_code == 200
    agent = (await office.ids())["agent"]
    assert (await office.boss.patch(f"{MEMBERS}/{agent}/deactivate")).json()["active"] is False
    assert (await office.agent.get("/api/auth/me")).status_code == 401
    async with asyncio.timeout(1):
        while (await elsewhere.get("/api/auth/me")).status_code != 401:
            await asyncio.sleep(0.05)
    login = {"email": office.people["agent"].email, "password": office.people["agent"].password}
    assert (await (await office.app.client()).post("/api/auth/login", json=login)).status_code == 401
    assert (await office.boss.patch(f"{MEMBERS}/{agent}/reactivate")).json()["active"] is True
    assert (await (await office.app.client()).post("/api/auth/login", json=login)).status_code == 200
    assert {MemberDeactivated(office.tenant.id, agent), MemberReactivated(office.tenant.id, agent)} <= set(
        office.app.domain_events
    )


async def test_another_tenant_sees_and_changes_nothing(office: Office) -> None:
    ids = await office.ids()
    made = (await office.boss.post(INVITATIONS, json={"email": "new@example.org"})).json()
    role = (await office.boss.post(ROLES, json={"name": "Ours", "permissions": []})).json()
    theirs = (await office.app.source("Other")).tenant
    stranger = await signed_in(office.app, await office.app.person(theirs))
    assert [member["user_id"] for member in (await stranger.get(MEMBERS)).json()["members"]] not in ids.values()
    assert (await stranger.get(INVITATIONS)).json() == {"invitations": []}
    for answer in (
        await stranger.patch(f"{MEMBERS}/{ids['agent']}", json={"role": "admin"}),
        await stranger.patch(f"{MEMBERS}/{ids['agent']}/deactivate"),
        await stranger.delete(f"{INVITATIONS}/{made['id']}"),
        await stranger.post(f"{INVITATIONS}/{made['id']}/resend"),
        await stranger.put(f"{ROLES}/{role['key']}", json={"permissions": []}),
        await stranger.delete(f"{ROLES}/{role['key']}"),
    ):
        assert code(answer) == (404, "not_found")
    assert "Ours" not in (await stranger.get(ROLES)).text


async def test_a_role_of_ones_own_is_made_given_changed_and_deleted(office: Office) -> None:
    made = await office.boss.post(ROLES, json={"name": "Lead", "permissions": ["users.manage"]})
    assert made.status_code == 201, made.text
    key, agent = made.json()["key"], (await office.ids())["agent"]
    assert (await office.boss.patch(f"{MEMBERS}/{agent}", json={"role_id": int(key)})).json()["role"] == "Lead"
    assert (await office.agent.get(MEMBERS)).status_code == 200
    changed = await office.boss.put(f"{ROLES}/{key}", json={"permissions": ["analytics.view"]})
    assert changed.json()["permissions"] == ["analytics.view"]
    assert (await office.agent.get(MEMBERS)).status_code == 403
    assert (await office.boss.delete(f"{ROLES}/{key}")).status_code == 204
    assert (await office.agent.get("/api/auth/me")).json()["role"] == "agent"
    assert [action for action in office.kept.actions() if "role." in action] == [
        "config.role.created",
        "config.role.updated",
        "config.role.deleted",
    ]


async def test_every_registered_permission_is_offered_with_a_description(office: Office) -> None:
    offered = (await office.boss.get(f"{ROLES}/permissions")).json()["permissions"]
    registered = {entry.item.name for entry in office.app.app.resources.permissions}
    assert {permission["name"] for permission in offered} == registered
    assert all(permission["description"] and permission["group"] for permission in offered)


@pytest.mark.parametrize("body", [{}, {"role": "agent", "role_id": 1}, {"role_id": 0}, {"role_id": 2**40}])
async def test_a_senseless_role_change_is_refused(office: Office, body: dict[str, object]) -> None:
    agent = (await office.ids())["agent"]
    assert code(await office.boss.patch(f"{MEMBERS}/{agent}", json=body)) == (422, "invalid_request")
    assert code(await office.boss.patch(f"{MEMBERS}/{10**30}", json={"role": "agent"})) == (404, "not_found")


# --- pages -------------------------------------------------------------------------------------------


def token_in(page: httpx.Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


async def test_everything_on_the_page_of_settings_opens(office: Office) -> None:
    opened = {}
    for who, client in (("boss", office.boss), ("agent", office.agent)):
        page = (await client.get("/settings", headers=HTML)).text
        opened[who] = set(re.findall(r'card-link[^>]*href="([^"]+)"', page))
        for path in opened[who]:
            assert (await client.get(path, headers=HTML)).status_code == 200, path
    assert "/settings/password" in opened["agent"]
    assert "/settings/people" in opened["boss"] - opened["agent"]


async def test_the_settings_menu_shows_only_what_one_may_open(office: Office) -> None:
    ours = (await office.boss.get("/settings/password", headers=HTML)).text
    theirs = (await office.agent.get("/settings/password", headers=HTML)).text
    for path in ("/settings/people", "/settings/roles"):
        assert (f'href="{path}"' in ours, f'href="{path}"' in theirs) == (True, False)


async def test_the_people_page_invites_changes_and_deactivates(office: Office) -> None:
    page = await office.admin.get("/settings/people", headers=HTML)
    form = {"csrf_token": token_in(page)}
    ids = await office.ids()
    assert f"member-{ids['agent']}" in page.text
    assert f"member-{ids['super_admin']}" not in page.text
    done = await office.admin.post("/settings/people/invite", data={**form, "email": "n@example.org", "role": "agent"})
    assert (done.status_code, len(office.kept.mails)) == (303, 1)
    await office.admin.post(f"/settings/people/{ids['agent']}/role", data={**form, "role": "auditor"})
    assert (await office.agent.get("/api/auth/me")).json()["role"] == "auditor"
    await office.admin.post(f"/settings/people/{ids['agent']}/deactivate", data=form)
    assert (await office.agent.get("/api/auth/me")).status_code == 401
    refused = await office.admin.post(f"/settings/people/{ids['super_admin']}/deactivate", data=form)
    assert refused.status_code == 303
    shown = await office.admin.get("/settings/people", headers=HTML)
    assert "Only a super_admin" in shown.text


async def test_the_roles_page_makes_and_deletes_a_role(office: Office) -> None:
    form = {"csrf_token": token_in(await office.boss.get("/settings/roles/new", headers=HTML))}
    refused = await office.boss.post("/settings/roles/new", data={**form, "name": "admin"})
    assert (refused.status_code, "cannot be the name" in refused.text) == (422, True)
    made = await office.boss.post(
        "/settings/roles/new", data={**form, "name": "Lead", "permission": ["users.manage", "analytics.view"]}
    )
    assert made.status_code == 303
    listed = (await office.boss.get(ROLES)).json()["roles"]
    (lead,) = [role for role in listed if role["name"] == "Lead"]
    assert lead["permissions"] == ["analytics.view", "users.manage"]
    editor = await office.boss.get(f"/settings/roles/{lead['key']}", headers=HTML)
    assert editor.text.count("checked") == 2
    await office.boss.post(f"/settings/roles/{lead['key']}/delete", data=form)
    assert len((await office.boss.get(ROLES)).json()["roles"]) == len(listed) - 1


async def test_a_role_that_one_may_not_change_is_shown_but_locked(office: Office) -> None:
    for key in ("super_admin", "admin"):
        page = await office.admin.get(f"/settings/roles/{key}", headers=HTML)
        assert page.status_code == 200
        assert "Save" not in page.text
