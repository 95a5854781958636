from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from chatnation.core.auth.logins import LONGEST, Login, Logins, remove_ended
from chatnation.core.auth.passwords import PasswordRules, WeakPassword, hash_password, random_password, verify_password
from chatnation.core.auth.permissions import CORE_PERMISSIONS, RoleName, Roles
from chatnation.core.auth.tenancy import NameTaken
from chatnation.core.auth.users import create_user, find_member, list_members, revoke_membership, set_password
from chatnation.core.errors import ChatnationError
from chatnation.core.plugin.resources import Registered
from chatnation.core.storage.storage import Storage

pytestmark = pytest.mark.anyio

PASSWORD = "Correct-horse-7"
ROLES = Roles([Registered("core", permission) for permission in CORE_PERMISSIONS])


class SetClock:
    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def logins(storage: Storage, clock: SetClock) -> Logins:
    return Logins(storage, ROLES, clock)


@pytest.fixture(scope="session")
async def password_hash(anyio_backend: str) -> str:
    return await hash_password(PASSWORD)


@pytest.fixture
async def user_id(storage: Storage, tenant_id: int, password_hash: str) -> int:
    async with storage.tenant(tenant_id) as connection:
        return await create_user(
            connection, tenant_id, "Amina@example.org", "Amina", RoleName.SUPER_ADMIN, password_hash
        )


async def log_in(logins: Logins) -> Login:
    login = await logins.log_in("amina@example.org", PASSWORD)
    assert login is not None
    return login


async def test_the_right_password_opens_a_login_that_is_recognised(logins: Logins, user_id: int) -> None:
    login = await log_in(logins)
    actor = await logins.recognise(login.token)
    assert actor == login.actor
    assert (actor.user_id, actor.tenant.slug, actor.role) == (user_id, "kra", "super_admin")
    assert actor.can("settings.manage")


@pytest.mark.usefixtures("user_id")
async def test_a_wrong_password_and_an_unknown_address_are_the_same(logins: Logins) -> None:
    assert await logins.log_in("amina@example.org", "wrong") is None
    assert await logins.log_in("nobody@example.org", PASSWORD) is None
    assert await logins.log_in("", "") is None


@pytest.mark.usefixtures("user_id")
async def test_the_token_is_not_in_the_database(logins: Logins, storage: Storage) -> None:
    login = await log_in(logins)
    async with storage.system("look") as connection:
        rows = (await connection.execute(text("SELECT login_sessions::text FROM login_sessions"))).scalars().all()
    assert len(rows) == 1
    assert login.token not in rows[0]
    assert login.token.encode().hex() not in rows[0]


@pytest.mark.usefixtures("user_id")
async def test_a_login_ends_after_its_longest_time_however_busy_it_was(logins: Logins, clock: SetClock) -> None:
    login = await log_in(logins)
    while clock.now() + timedelta(hours=12) < login.expires_at:
        clock.time += timedelta(hours=12)
        assert await logins.recognise(login.token)
    clock.time = login.expires_at
    assert login.expires_at - LONGEST == datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    assert await logins.recognise(login.token) is None


@pytest.mark.usefixtures("user_id")
async def test_an_idle_login_ends_when_the_tenant_says_so(
    logins: Logins, clock: SetClock, storage: Storage, tenant_id: int
) -> None:
    idle_after_half_an_hour = '{"session": {"inactivityTimeoutMinutes": 30}}'
    async with storage.system("settings") as connection:
        await connection.execute(text(f"UPDATE tenants SET settings = CAST('{idle_after_half_an_hour}' AS jsonb)"))
    login = await log_in(logins)
    for _ in range(3):
        clock.time += timedelta(minutes=29)
        assert await logins.recognise(login.token)
    clock.time += timedelta(minutes=30)
    assert await logins.recognise(login.token) is None
    clock.time -= timedelta(minutes=30)
    assert await logins.recognise(login.token) is None


@pytest.mark.usefixtures("user_id")
async def test_logging_out_closes_one_login_and_leaves_the_others(logins: Logins) -> None:
    first, second = await log_in(logins), await log_in(logins)
    await logins.log_out(first.token)
    assert await logins.recognise(first.token) is None
    assert await logins.recognise(second.token)


async def test_a_new_password_closes_every_login(logins: Logins, storage: Storage, user_id: int) -> None:
    login = await log_in(logins)
    async with storage.system("new password") as connection:
        await set_password(connection, user_id, await hash_password("Another-horse-8"))
    assert await logins.recognise(login.token) is None
    assert await logins.log_in("amina@example.org", PASSWORD) is None
    assert await logins.log_in("amina@example.org", "Another-horse-8")


async def test_a_revoked_member_is_out_at_once_and_the_last_admin_stays(
    logins: Logins, storage: Storage, tenant_id: int, user_id: int, password_hash: str
) -> None:
    login = await log_in(logins)
    async with storage.tenant(tenant_id) as connection:
        amina = await find_member(connection, tenant_id, "AMINA@example.org")
        with pytest.raises(ChatnationError, match="last super_admin"):
            await revoke_membership(connection, tenant_id, amina)
        await create_user(connection, tenant_id, "otieno@example.org", "Otieno", RoleName.SUPER_ADMIN, password_hash)
        await revoke_membership(connection, tenant_id, amina)
    assert await logins.recognise(login.token) is None
    assert await logins.log_in("amina@example.org", PASSWORD) is None


@pytest.mark.usefixtures("user_id")
async def test_an_address_is_taken_in_any_case(storage: Storage, tenant_id: int) -> None:
    async with storage.tenant(tenant_id) as connection:
        with pytest.raises(NameTaken):
            await create_user(connection, tenant_id, "AMINA@EXAMPLE.org", "Amina", RoleName.AGENT, None)
        assert [member.email for member in await list_members(connection, tenant_id)] == ["Amina@example.org"]


@pytest.mark.usefixtures("user_id")
async def test_ended_logins_are_removed(logins: Logins, clock: SetClock, storage: Storage) -> None:
    await log_in(logins)
    async with storage.system("clean up") as connection:
        assert await remove_ended(connection, clock.now()) == 0
        assert await remove_ended(connection, clock.now() + LONGEST + timedelta(seconds=1)) == 1


@pytest.mark.parametrize("token", ["", "x", "\ud800", "a" * 100_000])
async def test_a_made_up_token_is_nobody(logins: Logins, token: str) -> None:
    assert await logins.recognise(token) is None


async def test_every_character_of_a_long_password_counts() -> None:
    stored = await hash_password("a" * 100)
    right, wrong, accent = await asyncio.gather(
        verify_password("a" * 100, stored), verify_password("a" * 99 + "b", stored), verify_password("a\0", stored)
    )
    assert (right, wrong, accent) == (True, False, False)


async def test_an_accent_is_the_same_however_it_was_typed() -> None:
    assert await verify_password("Cafe\u0301-Pass1", await hash_password("Café-Pass1"))


@pytest.mark.parametrize("password", ["Aa1!", "aaaaaaa1!", "AAAAAAA1!", "Aaaaaaaa!", "Aaaaaaaa1", "Aa1!" * 40])
def test_a_password_that_breaks_a_rule_is_refused_with_the_rule(password: str) -> None:
    with pytest.raises(WeakPassword, match="needs"):
        PasswordRules().check(password)


def test_a_made_up_password_keeps_the_rules() -> None:
    for _ in range(100):
        PasswordRules().check(random_password())


def test_roles_hold_what_the_specification_says() -> None:
    assert ROLES.permissions("super_admin") == {permission.name for permission in CORE_PERMISSIONS}
    assert "analytics.view" in ROLES.permissions("auditor")
    assert "settings.manage" not in ROLES.permissions("auditor")
    assert "settings.manage" in ROLES.permissions("developer")
    assert "admin.danger_zone" not in ROLES.permissions("admin")
    assert ROLES.permissions("agent") == frozenset()
    assert ROLES.permissions("emperor") == frozenset()
