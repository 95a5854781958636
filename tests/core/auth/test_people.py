"""Members, invitations, roles: who may do what to whom."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth import invitations, members, tenant_roles
from chatnation.core.auth.effective import Standing, Standings
from chatnation.core.auth.names import InvalidName
from chatnation.core.auth.permissions import CORE_PERMISSIONS, RoleName, Roles
from chatnation.core.auth.refusals import BadLink, Impossible, LastAdmin, NotAllowed, SignInInstead
from chatnation.core.auth.teams import TeamRole, TeamRoles
from chatnation.core.auth.tenancy import NameTaken, Unknown, create_tenant
from chatnation.core.auth.tenant_choice import tenant_of_user, tenants_of_user
from chatnation.core.auth.users import create_user
from chatnation.core.context import Actor
from chatnation.core.plugin.resources import Registered
from chatnation.core.plugin.services import Services
from chatnation.core.storage.models import invitations as invitations_table
from chatnation.core.storage.storage import Storage
from chatnation.core.web.routing import Permission

pytestmark = pytest.mark.anyio

CHATS = Permission("session.transfer", "Hand chats over", frozenset({"super_admin"}), frozenset({"manager"}))
DEFAULTS = Roles([Registered("core", permission) for permission in (*CORE_PERMISSIONS, CHATS)])
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


class Teams:
    async def roles_of(self, connection: AsyncConnection, tenant_id: int, user_id: int) -> Mapping[str, TeamRole]:
        return {"team-1": TeamRole.MANAGER, "team-2": TeamRole.AGENT}


@pytest.fixture
def standings(storage: Storage) -> Standings:
    return Standings(storage, DEFAULTS, Services({}))


async def member(storage: Storage, tenant_id: int, role: RoleName, name: str) -> int:
    async with storage.system("a member for a test") as connection:
        return await create_user(connection, tenant_id, f"{name}@example.org", name.title(), role, None)


async def actor(storage: Storage, tenant_id: int, user_id: int) -> Actor:
    standing = await Standings(storage, DEFAULTS, Services({})).of(tenant_id, user_id)
    assert standing is not None
    return standing.actor()


@pytest.fixture
async def boss(storage: Storage, tenant_id: int) -> Actor:
    return await actor(storage, tenant_id, await member(storage, tenant_id, RoleName.SUPER_ADMIN, "boss"))


@pytest.fixture
async def admin(storage: Storage, tenant_id: int, boss: Actor) -> Actor:
    return await actor(storage, tenant_id, await member(storage, tenant_id, RoleName.ADMIN, "admin"))


async def current(standings: Standings, tenant_id: int, user_id: int) -> Standing:
    standing = await standings.of(tenant_id, user_id)
    assert standing is not None
    return standing


# --- effective permissions ---------------------------------------------------------------------------


async def test_a_standing_is_the_role_and_what_it_holds_by_default(standings: Standings, boss: Actor) -> None:
    assert boss.user_id
    standing = await current(standings, boss.tenant.id, boss.user_id)
    assert (standing.role, standing.permissions) == ("super_admin", DEFAULTS.known)
    assert standing.actor() == boss


@pytest.mark.parametrize(
    ("spelling", "role"),
    [("SUPER_ADMIN", "super_admin"), ("MEMBER", "agent"), ("Auditor", "auditor"), ("system_admin", "super_admin")],
)
def test_names_of_other_systems_are_understood(spelling: str, role: str) -> None:
    assert RoleName(spelling) == role
    assert DEFAULTS.permissions(spelling) == DEFAULTS.permissions(role)


@pytest.mark.parametrize("nobody", ["", "emperor", "MANAGER", "agent2"])
def test_an_unknown_role_may_do_nothing(nobody: str) -> None:
    assert DEFAULTS.permissions(nobody) == frozenset()


async def test_team_roles_give_permissions_within_their_team_only(storage: Storage, admin: Actor) -> None:
    standings = Standings(storage, DEFAULTS, Services({TeamRoles: ("teams", Teams())}))
    assert admin.user_id
    found = (await current(standings, admin.tenant.id, admin.user_id)).actor()
    assert not found.can("session.transfer")
    assert found.can("session.transfer", team="team-1")
    assert not found.can("session.transfer", team="team-2")
    assert found.can_somewhere("session.transfer")
    assert found.teams_with("session.transfer") == {"team-1"}
    assert found.teams_with("analytics.view") is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE memberships SET active = false",
        "UPDATE users SET disabled_at = now()",
        "UPDATE tenants SET active = false",
        "DELETE FROM memberships",
    ],
)
async def test_who_is_out_has_no_standing(statement: str, standings: Standings, storage: Storage, admin: Actor) -> None:
    assert admin.user_id
    await current(standings, admin.tenant.id, admin.user_id)
    async with storage.system("out") as connection:
        await connection.execute(text(statement))
        standings.forget_after(connection)
    assert await standings.of(admin.tenant.id, admin.user_id) is None


async def test_a_standing_is_read_once_until_something_changes(
    standings: Standings, storage: Storage, admin: Actor
) -> None:
    assert admin.user_id
    first = await current(standings, admin.tenant.id, admin.user_id)
    assert await current(standings, admin.tenant.id, admin.user_id) is first
    async with storage.system("look") as connection:
        before = await connection.scalar(text("SELECT version FROM cache_versions WHERE name = 'access'"))
        await connection.execute(text("UPDATE users SET last_login_at = now()"))
        assert before == await connection.scalar(text("SELECT version FROM cache_versions WHERE name = 'access'"))
        await connection.execute(text("UPDATE memberships SET role = 'agent' WHERE role = 'admin'"))
        assert before != await connection.scalar(text("SELECT version FROM cache_versions WHERE name = 'access'"))


# --- roles -------------------------------------------------------------------------------------------


async def make_role(
    storage: Storage, boss: Actor, name: str = "Supervisor", *permissions: str
) -> tenant_roles.TenantRole:
    async with storage.tenant(boss.tenant.id) as connection:
        return await tenant_roles.create_role(
            connection, boss, DEFAULTS, name=name, permissions=permissions or ("analytics.view",)
        )


async def test_a_role_that_is_deleted_while_somebody_gives_it_leaves_its_new_holder_an_agent(
    storage: Storage, boss: Actor
) -> None:
    tenant_id = boss.tenant.id
    colleague = await member(storage, tenant_id, RoleName.AUDITOR, "colleague")
    async with storage.tenant(tenant_id) as connection:
        role = await tenant_roles.create_role(
            connection, boss, DEFAULTS, name="Helpers", permissions=["analytics.view"]
        )

    async def delete() -> None:
        async with storage.tenant(tenant_id) as connection:
            await tenant_roles.delete_role(connection, boss, role)

    async with storage.tenant(tenant_id) as connection:
        await members.change_member_role(connection, boss, DEFAULTS, colleague, role.key)
        deleting = asyncio.create_task(delete())
        await _until_somebody_waits(storage)
    await deleting

    async with storage.tenant(tenant_id) as connection:
        entry = next(
            each for each in await members.list_member_entries(connection, tenant_id) if each.user_id == colleague
        )
        assert entry.role == "agent"
        with pytest.raises(Unknown):
            await members.change_member_role(connection, boss, DEFAULTS, colleague, role.key)


async def _until_somebody_waits(storage: Storage) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with storage.engine.connect() as connection:
        for _ in range(500):
            if await connection.scalar(waiting):
                return
            await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")


async def test_a_role_of_ones_own_is_given_by_id_and_its_permissions_are_what_members_hold(
    storage: Storage, standings: Standings, boss: Actor
) -> None:
    role = await make_role(storage, boss, "Supervisor", "analytics.view", "session.transfer")
    user_id = await member(storage, boss.tenant.id, RoleName.AUDITOR, "otieno")
    async with storage.tenant(boss.tenant.id) as connection:
        await members.change_member_role(connection, boss, DEFAULTS, user_id, role.key)
    standing = await current(standings, boss.tenant.id, user_id)
    assert (standing.role, standing.permissions) == ("Supervisor", {"analytics.view", "session.transfer"})


async def test_changing_a_system_role_makes_a_version_of_the_tenant_and_deleting_it_takes_that_back(
    storage: Storage, standings: Standings, boss: Actor
) -> None:
    user_id = await member(storage, boss.tenant.id, RoleName.AUDITOR, "otieno")
    async with storage.system("another tenant") as connection:
        other = await create_tenant(connection, "Other")
    stranger = await member(storage, other.id, RoleName.AUDITOR, "stranger")
    async with storage.tenant(boss.tenant.id) as connection:
        auditor = await tenant_roles.find_role(connection, boss.tenant.id, "AUDITOR", DEFAULTS)
        changed = await tenant_roles.change_role(
            connection, boss, DEFAULTS, auditor, permissions=["analytics.view", "analytics.export"]
        )
        changed = await tenant_roles.change_role(connection, boss, DEFAULTS, changed, description="Reads and exports")
        assert (changed.changed, changed.members, changed.description) == (True, 1, "Reads and exports")
    assert "analytics.export" in (await current(standings, boss.tenant.id, user_id)).permissions
    assert "analytics.export" not in (await current(standings, other.id, stranger)).permissions
    await standings.forget()
    async with storage.tenant(boss.tenant.id) as connection:
        assert await tenant_roles.delete_role(connection, boss, changed) == 1
    assert (await current(standings, boss.tenant.id, user_id)).permissions == DEFAULTS.permissions("auditor")


async def test_members_of_a_deleted_role_are_agents(storage: Storage, standings: Standings, boss: Actor) -> None:
    role = await make_role(storage, boss)
    user_id = await member(storage, boss.tenant.id, RoleName.AUDITOR, "otieno")
    async with storage.tenant(boss.tenant.id) as connection:
        await members.change_member_role(connection, boss, DEFAULTS, user_id, "supervisor")
        await invitations.invite(connection, boss, DEFAULTS, "new@example.org", role.key, NOW)
        role = await tenant_roles.find_role(connection, boss.tenant.id, role.key, DEFAULTS)
        assert await tenant_roles.delete_role(connection, boss, role) == 1
        (waiting,) = await invitations.list_invitations(connection, boss.tenant.id)
    assert (await current(standings, boss.tenant.id, user_id)).role == "agent"
    assert waiting.role == "agent"


async def test_a_role_of_another_tenant_does_not_exist(storage: Storage, boss: Actor) -> None:
    role = await make_role(storage, boss)
    async with storage.system("another tenant") as connection:
        other = await create_tenant(connection, "Other")
    async with storage.tenant(other.id) as connection:
        with pytest.raises(Unknown):
            await tenant_roles.find_role(connection, other.id, role.key, DEFAULTS)


async def test_nobody_gives_a_role_what_they_do_not_hold(storage: Storage, admin: Actor) -> None:
    with pytest.raises(NotAllowed, match=r"persons\.erase"):
        await make_role(storage, admin, "Eraser", "persons.erase")
    with pytest.raises(Unknown, match=r"no\.such"):
        await make_role(storage, admin, "Eraser", "no.such")


@pytest.mark.parametrize("name", ["admin", "Super_Admin", "MEMBER", "manager", "12", "", "a\nb", "\x00"])
async def test_a_role_cannot_be_called_like_those_of_the_system(name: str, storage: Storage, boss: Actor) -> None:
    with pytest.raises(InvalidName):
        await make_role(storage, boss, name)


async def test_two_roles_cannot_have_one_name(storage: Storage, boss: Actor) -> None:
    await make_role(storage, boss, "Supervisor")
    with pytest.raises(NameTaken):
        await make_role(storage, boss, "SUPERVISOR")


async def test_some_roles_are_not_to_be_touched(storage: Storage, boss: Actor, admin: Actor) -> None:
    async with storage.tenant(boss.tenant.id) as connection:
        every = {role.key: role for role in await tenant_roles.list_roles(connection, boss.tenant.id, DEFAULTS)}

        async def change(who: Actor, key: str) -> None:
            await tenant_roles.change_role(connection, who, DEFAULTS, every[key], permissions=[])

        with pytest.raises(Impossible, match="everything"):
            await change(boss, "super_admin")
        with pytest.raises(Impossible, match="own role"):
            await change(admin, "admin")
        developer = await actor(storage, boss.tenant.id, await member(storage, boss.tenant.id, RoleName.DEVELOPER, "d"))
        with pytest.raises(NotAllowed):
            await change(developer, "admin")
        with pytest.raises(Impossible, match="as it was delivered"):
            await tenant_roles.delete_role(connection, boss, every["agent"])
        with pytest.raises(Impossible, match="keeps its name"):
            await tenant_roles.change_role(connection, boss, DEFAULTS, every["agent"], name="Other")


# --- members -----------------------------------------------------------------------------------------


async def test_nobody_touches_or_gives_a_role_above_their_own(storage: Storage, boss: Actor, admin: Actor) -> None:
    user_id = await member(storage, boss.tenant.id, RoleName.AGENT, "otieno")
    assert boss.user_id
    async with storage.tenant(boss.tenant.id) as connection:
        with pytest.raises(NotAllowed):
            await members.change_member_role(connection, admin, DEFAULTS, user_id, "super_admin")
        with pytest.raises(NotAllowed):
            await members.change_member_role(connection, admin, DEFAULTS, boss.user_id, "agent")
        with pytest.raises(NotAllowed):
            await members.deactivate_member(connection, admin, DEFAULTS, boss.user_id)
        await members.change_member_role(connection, admin, DEFAULTS, user_id, "admin")


async def test_nobody_demotes_or_deactivates_themselves(storage: Storage, boss: Actor) -> None:
    assert boss.user_id
    await member(storage, boss.tenant.id, RoleName.SUPER_ADMIN, "second")
    async with storage.tenant(boss.tenant.id) as connection:
        with pytest.raises(Impossible):
            await members.change_member_role(connection, boss, DEFAULTS, boss.user_id, "agent")
        with pytest.raises(Impossible):
            await members.deactivate_member(connection, boss, DEFAULTS, boss.user_id)


async def test_two_super_admins_who_deactivate_each_other_at_once_leave_one(storage: Storage, boss: Actor) -> None:
    second = await actor(storage, boss.tenant.id, await member(storage, boss.tenant.id, RoleName.SUPER_ADMIN, "second"))

    async def deactivate(who: Actor, whom: Actor) -> None:
        assert whom.user_id
        async with storage.tenant(boss.tenant.id) as connection:
            await members.deactivate_member(connection, who, DEFAULTS, whom.user_id)

    outcomes = await asyncio.gather(deactivate(boss, second), deactivate(second, boss), return_exceptions=True)
    assert sorted(type(outcome) for outcome in outcomes if outcome) == [LastAdmin]
    async with storage.tenant(boss.tenant.id) as connection:
        everybody = await members.list_member_entries(connection, boss.tenant.id)
    assert [entry.active for entry in everybody] == [True, False]


async def test_a_member_of_another_tenant_cannot_be_changed(storage: Storage, boss: Actor) -> None:
    async with storage.system("another tenant") as connection:
        other = await create_tenant(connection, "Other")
    stranger = await member(storage, other.id, RoleName.AGENT, "stranger")
    async with storage.tenant(boss.tenant.id) as connection:
        with pytest.raises(Unknown):
            await members.change_member_role(connection, boss, DEFAULTS, stranger, "admin")


async def test_a_reactivated_member_has_the_role_they_had(storage: Storage, standings: Standings, boss: Actor) -> None:
    user_id = await member(storage, boss.tenant.id, RoleName.AUDITOR, "otieno")
    async with storage.tenant(boss.tenant.id) as connection:
        await members.deactivate_member(connection, boss, DEFAULTS, user_id)
    assert await standings.of(boss.tenant.id, user_id) is None
    async with storage.tenant(boss.tenant.id) as connection:
        await members.reactivate_member(connection, boss, DEFAULTS, user_id)
        standings.forget_after(connection)
    assert (await current(standings, boss.tenant.id, user_id)).role == "auditor"


async def test_a_user_may_choose_among_active_tenants_where_they_are_active(storage: Storage, boss: Actor) -> None:
    assert boss.user_id
    async with storage.system("more tenants") as connection:
        for name, active, membership in (("B", True, True), ("C", False, True), ("D", True, False), ("E", True, None)):
            tenant = await create_tenant(connection, f"Tenant {name}")
            await connection.execute(
                text("UPDATE tenants SET active = :active WHERE id = :id"), {"active": active, "id": tenant.id}
            )
            if membership is not None:
                await connection.execute(
                    text(
                        "INSERT INTO memberships (tenant_id, user_id, role, active)"
                        " VALUES (:tenant, :user, 'agent', :active)"
                    ),
                    {"tenant": tenant.id, "user": boss.user_id, "active": membership},
                )
        found = await tenants_of_user(connection, boss.user_id)
        assert [(tenant.slug, tenant.role) for tenant in found] == [("kra", "super_admin"), ("tenant-b", "agent")]
        for slug in ("tenant-c", "tenant-d", "tenant-e", "nowhere"):
            with pytest.raises(Unknown):
                await tenant_of_user(connection, boss.user_id, slug)


# --- invitations -------------------------------------------------------------------------------------


async def invited(storage: Storage, boss: Actor, role: str = "auditor") -> invitations.InvitationLink:
    async with storage.tenant(boss.tenant.id) as connection:
        return await invitations.invite(connection, boss, DEFAULTS, "New@example.org", role, NOW)


async def test_an_invited_person_becomes_a_user_and_a_member_with_the_role(
    storage: Storage, standings: Standings, boss: Actor
) -> None:
    link = await invited(storage, boss)
    async with storage.system("claim") as connection:
        opened = await invitations.open_invitation(connection, link.token, NOW)
        assert (opened.email, opened.role, opened.tenant.slug, opened.known) == (
            "New@example.org",
            "auditor",
            "kra",
            False,
        )
        _, user_id = await invitations.claim(connection, link.token, name="New", password_hash="x", now=NOW)
    assert (await current(standings, boss.tenant.id, user_id)).role == "auditor"
    async with storage.system("again") as connection:
        with pytest.raises(BadLink):
            await invitations.claim(connection, link.token, name="New", password_hash="x", now=NOW)


async def test_the_token_of_an_invitation_is_not_in_the_database(storage: Storage, boss: Actor) -> None:
    link = await invited(storage, boss)
    async with storage.system("look") as connection:
        (row,) = (await connection.execute(text("SELECT invitations::text FROM invitations"))).scalars()
    assert link.token not in row
    assert link.token.encode().hex() not in row
    assert link.token not in repr(link.invitation)


@pytest.mark.parametrize("fate", ["revoked", "expired", "resent", "tenant off", "unknown"])
async def test_a_link_that_is_void_opens_nothing(fate: str, storage: Storage, boss: Actor) -> None:
    link = await invited(storage, boss)
    token, now = link.token, NOW
    async with storage.tenant(boss.tenant.id) as connection:
        if fate == "revoked":
            await invitations.revoke_invitation(connection, boss.tenant.id, link.invitation.id, NOW)
        elif fate == "resent":
            await invitations.resend(connection, boss, DEFAULTS, link.invitation.id, NOW)
    if fate == "tenant off":
        async with storage.system("off") as connection:
            await connection.execute(text("UPDATE tenants SET active = false"))
    if fate == "expired":
        now += timedelta(days=7)
    if fate == "unknown":
        token = token[:-1]
    async with storage.system("claim") as connection:
        with pytest.raises(BadLink):
            await invitations.open_invitation(connection, token, now)
        with pytest.raises(BadLink):
            await invitations.claim(connection, token, name="New", password_hash="x", now=now)


async def test_inviting_again_keeps_one_invitation_with_the_newest_link_and_role(storage: Storage, boss: Actor) -> None:
    first, second = await invited(storage, boss), await invited(storage, boss, "developer")
    assert first.invitation.id == second.invitation.id
    async with storage.system("look") as connection:
        assert (await invitations.open_invitation(connection, second.token, NOW)).role == "developer"
        with pytest.raises(BadLink):
            await invitations.open_invitation(connection, first.token, NOW)
        assert len(list(await connection.scalars(select(invitations_table.c.id)))) == 1


async def test_nobody_invites_above_their_role_or_a_member(storage: Storage, boss: Actor, admin: Actor) -> None:
    async with storage.tenant(boss.tenant.id) as connection:
        for role in ("super_admin", "SUPER_ADMIN"):
            with pytest.raises(NotAllowed):
                await invitations.invite(connection, admin, DEFAULTS, "new@example.org", role, NOW)
        with pytest.raises(Impossible, match="member already"):
            await invitations.invite(connection, boss, DEFAULTS, "ADMIN@example.org", "agent", NOW)
        with pytest.raises(Unknown, match="within a team"):
            await invitations.invite(connection, boss, DEFAULTS, "new@example.org", "MANAGER", NOW)
        for address in ("", "no address", "a@b\x00"):
            with pytest.raises(InvalidName):
                await invitations.invite(connection, boss, DEFAULTS, address, "agent", NOW)


async def test_an_admin_does_not_send_a_super_admins_invitation_again(
    storage: Storage, boss: Actor, admin: Actor
) -> None:
    link = await invited(storage, boss, "super_admin")
    async with storage.tenant(boss.tenant.id) as connection:
        with pytest.raises(NotAllowed):
            await invitations.resend(connection, admin, DEFAULTS, link.invitation.id, NOW)


async def test_a_user_accepts_only_what_was_sent_to_their_address(storage: Storage, boss: Actor) -> None:
    async with storage.system("another tenant") as connection:
        other = await create_tenant(connection, "Other")
    right = await member(storage, other.id, RoleName.AGENT, "new")
    wrong = await member(storage, other.id, RoleName.AGENT, "old")
    link = await invited(storage, boss)
    async with storage.system("claim") as connection:
        assert (await invitations.open_invitation(connection, link.token, NOW)).known
        with pytest.raises(NotAllowed, match="another address"):
            await invitations.accept(connection, link.token, wrong, "old@example.org", NOW)
        with pytest.raises(SignInInstead):
            await invitations.claim(connection, link.token, name="New", password_hash="x", now=NOW)
        await invitations.accept(connection, link.token, right, "NEW@example.org", NOW)
        assert {tenant.slug for tenant in await tenants_of_user(connection, right)} == {"kra", "other"}


async def test_a_deactivated_member_does_not_come_back_by_an_invitation(storage: Storage, boss: Actor) -> None:
    link = await invited(storage, boss)
    user_id = await member(storage, boss.tenant.id, RoleName.AGENT, "new")
    async with storage.tenant(boss.tenant.id) as connection:
        await members.deactivate_member(connection, boss, DEFAULTS, user_id)
    async with storage.system("accept") as connection:
        with pytest.raises(Impossible):
            await invitations.accept(connection, link.token, user_id, "new@example.org", NOW)
        assert await tenants_of_user(connection, user_id) == []
