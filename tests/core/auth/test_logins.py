from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from chatnation.core.auth.effective import Standings
from chatnation.core.auth.logins import (
    OpenedLogin,
    Visitor,
    close_by_token,
    close_login,
    close_logins,
    list_logins,
    open_login,
    remove_ended,
)
from chatnation.core.auth.passwords import PasswordRules, WeakPassword, hash_password, random_password, verify_password
from chatnation.core.auth.permissions import CORE_PERMISSIONS, RoleName, Roles
from chatnation.core.auth.recognition import Recognition
from chatnation.core.auth.refusals import LastAdmin
from chatnation.core.auth.security_policy import LONGEST, SecurityPolicy, store_policy
from chatnation.core.auth.tenancy import NameTaken
from chatnation.core.auth.users import create_user, find_member, list_members, revoke_membership, set_password
from chatnation.core.plugin.resources import Registered
from chatnation.core.plugin.services import Services
from chatnation.core.storage.storage import Storage
from chatnation.core.storage.versions import Versions
from chatnation.testing.clock import FakeClock

pytestmark = pytest.mark.anyio

PASSWORD = "Correct-horse-7"
ROLES = Roles([Registered("core", permission) for permission in CORE_PERMISSIONS])
MORNING = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Process:
    """What one process knows of logins."""

    storage: Storage
    versions: Versions
    recognition: Recognition

    @classmethod
    def start(cls, storage: Storage, clock: FakeClock) -> Process:
        versions = Versions(storage)
        standings = Standings(storage, ROLES, Services({}, lambda plugin: True))
        recognition = Recognition(storage, standings, versions, clock)
        versions.watch("access", standings.forget)
        versions.watch("logins", recognition.forget)
        return cls(storage, versions, recognition)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(MORNING)


@pytest.fixture
def here(storage: Storage, clock: FakeClock) -> Process:
    return Process.start(storage, clock)


@pytest.fixture
def elsewhere(storage: Storage, clock: FakeClock) -> Process:
    return Process.start(storage, clock)


@pytest.fixture(scope="session")
async def password_hash(anyio_backend: str) -> str:
    return await hash_password(PASSWORD, rounds=4)


@pytest.fixture
async def user_id(storage: Storage, tenant_id: int, password_hash: str) -> int:
    async with storage.system("make a user for a test") as connection:
        return await create_user(
            connection, tenant_id, "Amina@example.org", "Amina", RoleName.SUPER_ADMIN, password_hash
        )


LogIn = Callable[..., Awaitable[OpenedLogin]]


@pytest.fixture
def log_in(storage: Storage, clock: FakeClock, tenant_id: int, user_id: int) -> LogIn:
    async def opened(policy: SecurityPolicy = SecurityPolicy(), visitor: Visitor = Visitor()) -> OpenedLogin:  # noqa: B008
        async with storage.system("open a login") as connection:
            return await open_login(connection, tenant_id, user_id, policy, clock.now(), visitor)

    return opened


async def set_policy(storage: Storage, tenant_id: int, policy: SecurityPolicy) -> None:
    async with storage.system("settings") as connection:
        await store_policy(connection, tenant_id, policy)


async def test_a_login_is_recognised_as_its_user_with_what_they_may_do(
    log_in: LogIn, here: Process, user_id: int
) -> None:
    login = await log_in()
    actor = await here.recognition.by_cookie(login.token)
    assert actor is not None
    assert (actor.user_id, actor.tenant.slug, actor.role, actor.login_id) == (user_id, "kra", "super_admin", login.id)
    assert actor.can("settings.manage")
    assert not actor.limited


async def test_the_token_is_not_in_the_database(log_in: LogIn, storage: Storage) -> None:
    login = await log_in()
    async with storage.system("look") as connection:
        rows = (await connection.execute(text("SELECT login_sessions::text FROM login_sessions"))).scalars().all()
    assert len(rows) == 1
    assert login.token not in rows[0]
    assert login.token.encode().hex() not in rows[0]


async def test_a_login_ends_after_its_longest_time_however_busy_it_was(
    log_in: LogIn, here: Process, clock: FakeClock
) -> None:
    login = await log_in()
    while clock.now() + timedelta(hours=12) < login.expires_at:
        clock.move(timedelta(hours=12))
        assert await here.recognition.by_cookie(login.token)
    clock.set(login.expires_at)
    assert login.expires_at - LONGEST == MORNING
    assert await here.recognition.by_cookie(login.token) is None


async def test_a_shorter_limit_ends_logins_that_were_opened_under_the_longer_one(
    log_in: LogIn, here: Process, clock: FakeClock, storage: Storage, tenant_id: int
) -> None:
    login = await log_in()
    await set_policy(storage, tenant_id, SecurityPolicy(longest=timedelta(hours=1)))
    clock.move(timedelta(minutes=59))
    assert await here.recognition.by_cookie(login.token)
    clock.move(timedelta(minutes=1))
    assert await here.recognition.by_cookie(login.token) is None


async def test_an_idle_login_ends_when_the_tenant_says_so(
    log_in: LogIn, here: Process, clock: FakeClock, storage: Storage, tenant_id: int
) -> None:
    await set_policy(storage, tenant_id, SecurityPolicy(idle=timedelta(minutes=30)))
    login = await log_in()
    for _ in range(3):
        clock.move(timedelta(minutes=29))
        assert await here.recognition.by_cookie(login.token)
    clock.move(timedelta(minutes=30))
    assert await here.recognition.by_cookie(login.token) is None
    clock.move(-timedelta(minutes=30))
    assert await here.recognition.by_cookie(login.token) is None


async def test_a_page_that_asks_for_news_by_itself_keeps_no_login_alive(
    log_in: LogIn, here: Process, clock: FakeClock, storage: Storage, tenant_id: int
) -> None:
    await set_policy(storage, tenant_id, SecurityPolicy(idle=timedelta(minutes=30)))
    login = await log_in()
    for _ in range(2):
        clock.move(timedelta(minutes=14))
        assert await here.recognition.by_cookie(login.token, active=False)
    clock.move(timedelta(minutes=2))
    assert await here.recognition.by_cookie(login.token, active=False) is None


async def test_activity_in_one_process_counts_in_another(
    log_in: LogIn, here: Process, elsewhere: Process, clock: FakeClock, storage: Storage, tenant_id: int
) -> None:
    await set_policy(storage, tenant_id, SecurityPolicy(idle=timedelta(minutes=30)))
    login = await log_in()
    assert await elsewhere.recognition.by_cookie(login.token)
    for _ in range(3):
        clock.move(timedelta(minutes=20))
        assert await here.recognition.by_cookie(login.token)
    assert await elsewhere.recognition.by_cookie(login.token)


async def test_logging_out_closes_one_login_and_leaves_the_others(
    log_in: LogIn, here: Process, storage: Storage, user_id: int
) -> None:
    first, second, third = await log_in(), await log_in(), await log_in()
    async with storage.system("log out") as connection:
        assert await close_by_token(connection, first.token) is not None
        assert await close_login(connection, user_id, third.id)
        assert not await close_login(connection, user_id + 1, second.id)
    assert await here.recognition.by_cookie(first.token) is None
    assert await here.recognition.by_cookie(third.token) is None
    assert await here.recognition.by_cookie(second.token)


async def test_what_is_in_memory_is_dropped_once_another_process_closed_it(
    log_in: LogIn, here: Process, elsewhere: Process, storage: Storage, user_id: int
) -> None:
    login = await log_in()
    assert await here.recognition.by_cookie(login.token)
    assert await elsewhere.recognition.by_cookie(login.token)
    async with storage.system("sign out everywhere") as connection:
        here.recognition.forget_after(connection)
        assert await close_logins(connection, user_id) == 1
    assert await here.recognition.by_cookie(login.token) is None
    await elsewhere.versions.poll()
    assert await elsewhere.recognition.by_cookie(login.token) is None


async def test_a_recognised_login_costs_no_query_the_second_time(log_in: LogIn, here: Process) -> None:
    from sqlalchemy import event

    login = await log_in()
    statements: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if "set_config" not in statement:
            statements.append(statement)

    event.listen(here.storage.engine.sync_engine, "before_cursor_execute", note)
    assert await here.recognition.by_cookie(login.token)
    assert len(statements) == 2
    statements.clear()
    assert await here.recognition.by_cookie(login.token)
    assert statements == []


async def test_the_list_of_logins_has_those_that_are_open(
    log_in: LogIn, storage: Storage, clock: FakeClock, user_id: int
) -> None:
    policy = SecurityPolicy(idle=timedelta(minutes=30))
    await log_in(policy, Visitor("192.0.2.1", "Firefox"))
    clock.move(timedelta(minutes=31))
    login = await log_in(policy, Visitor("192.0.2.2", "curl/8"))
    async with storage.system("list") as connection:
        (entry,) = await list_logins(connection, user_id, policy, clock.now())
        assert len(await list_logins(connection, user_id, SecurityPolicy(), clock.now())) == 2
    assert (entry.id, entry.ip_address, entry.user_agent) == (login.id, "192.0.2.2", "curl/8")


async def test_a_new_password_closes_every_login(log_in: LogIn, here: Process, storage: Storage, user_id: int) -> None:
    login = await log_in()
    async with storage.system("new password") as connection:
        await set_password(connection, user_id, await hash_password("Another-horse-8", rounds=4))
    assert await here.recognition.by_cookie(login.token) is None


async def test_a_revoked_member_is_out_at_once_and_the_last_admin_stays(
    log_in: LogIn, here: Process, storage: Storage, tenant_id: int, password_hash: str
) -> None:
    login = await log_in()
    assert await here.recognition.by_cookie(login.token)
    async with storage.system("people of a tenant") as connection:
        amina = await find_member(connection, tenant_id, "AMINA@example.org")
        with pytest.raises(LastAdmin, match="last super_admin"):
            await revoke_membership(connection, tenant_id, amina)
        await create_user(connection, tenant_id, "otieno@example.org", "Otieno", RoleName.SUPER_ADMIN, password_hash)
        await revoke_membership(connection, tenant_id, amina)
    await here.versions.poll()
    assert await here.recognition.by_cookie(login.token) is None


@pytest.mark.usefixtures("user_id")
async def test_an_address_is_taken_in_any_case(storage: Storage, tenant_id: int) -> None:
    async with storage.system("people of a tenant") as connection:
        with pytest.raises(NameTaken):
            await create_user(connection, tenant_id, "AMINA@EXAMPLE.org", "Amina", RoleName.AGENT, None)
        assert [member.email for member in await list_members(connection, tenant_id)] == ["Amina@example.org"]


async def test_ended_logins_are_removed(log_in: LogIn, clock: FakeClock, storage: Storage) -> None:
    await log_in()
    async with storage.system("clean up") as connection:
        assert await remove_ended(connection, clock.now()) == 0
        assert await remove_ended(connection, clock.now() + LONGEST + timedelta(seconds=1)) == 1


@pytest.mark.parametrize("token", ["", "x", "\ud800", "a" * 100_000])
async def test_a_made_up_token_is_nobody(here: Process, token: str) -> None:
    assert await here.recognition.by_cookie(token) is None
    assert await here.recognition.by_personal_token(token) is None
    assert await here.recognition.by_personal_token(f"cn_pat_{token}") is None


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
