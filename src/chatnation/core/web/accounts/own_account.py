"""One's own account: name, second factors, logins, remembered browsers and tokens, for pages and routes alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from chatnation.core.audit import audit_of
from chatnation.core.auth import challenges, devices, logins, personal_tokens, totp
from chatnation.core.auth.challenges import RESEND_AFTER, SET_UP, Challenge, Progress
from chatnation.core.auth.devices import Device
from chatnation.core.auth.login_steps import Proof
from chatnation.core.auth.logins import LoginEntry
from chatnation.core.auth.names import checked_name
from chatnation.core.auth.passwords import verify_password
from chatnation.core.auth.personal_tokens import NewPersonalToken, PersonalToken
from chatnation.core.auth.refusals import Impossible, WrongPassword
from chatnation.core.auth.second_factors import APP, APP_LABEL, CODE_LASTS, FactorEntry
from chatnation.core.auth.security_policy import SecurityPolicy
from chatnation.core.auth.tenancy import Unknown
from chatnation.core.auth.throttling import Attempt
from chatnation.core.context import Actor
from chatnation.core.errors import Problem
from chatnation.core.storage.models import login_sessions, users
from chatnation.core.web.access import FRESH
from chatnation.core.web.accounts.visitors import address_of
from chatnation.core.web.audited import record_of

if TYPE_CHECKING:
    from chatnation.core.web.accounts.parts import AccountParts


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody shows once more before something dangerous: their password, or a code of a second factor."""

    password: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Factors:
    """The second factors of a user, and those that they could set up: names with labels, and what is typed for each."""

    held: Sequence[FactorEntry]
    recovery_codes_left: int
    required: bool
    possible: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class SetUp:
    """A second factor that is being set up: for an app its secret, otherwise where the code was sent."""

    factor: str
    label: str
    challenge: str = ""
    secret: str = ""
    uri: str = ""
    sent_to: str = ""


class OwnAccount:
    """What people do to their own accounts. Everything raises what `core.auth.refusals` names, or a `Problem`."""

    def __init__(self, parts: AccountParts) -> None:
        self._parts = parts
        self._app = parts.app
        self._factors = parts.factors

    async def rename(self, request: Request, name: str) -> None:
        """Be called something else, in every tenant."""
        actor = login_of(request)
        async with self._app.storage.system("the name of a user") as connection:
            new = checked_name(name)
            await connection.execute(update(users).where(users.c.id == actor.user_id).values(name=new))
            self._parts.standings.forget_after(connection)
            await self._note(connection, request, "auth.profile.updated", fields=["name"])

    # --- second factors ---

    async def factors(self, request: Request) -> Factors:
        """What the user has set up, and could."""
        actor = login_of(request)
        async with self._app.storage.system("second factors of a user") as connection:
            held = await self._factors.of_user(connection, _user(actor))
            left = await self._factors.recovery_codes_left(connection, _user(actor))
        possible = [(APP, APP_LABEL, "")]
        possible += [(name, carrier.label, carrier.address_label) for name, carrier in self._factors.carriers.items()]
        return Factors(held, left, (await self._policy(actor)).second_factor_required, possible)

    async def start_set_up(self, request: Request, factor: str, address: str, given: Given) -> SetUp:
        """Begin with a factor, or with another app or address for one: the code that comes proves that it works."""
        actor, now = login_of(request), self._app.clock.now()
        await self._check_may_set_up(request, actor, given)
        progress = Progress(actor.tenant.id, _user(actor), Proof.PASSWORD)
        async with self._app.storage.system("a second factor of a user") as connection:
            await self._limit_messages(connection, request, actor, factor, now)
            await challenges.drop_all(connection, _user(actor), SET_UP)
            if factor == APP:
                made = self._new_app(actor)
                columns: dict[str, Any] = {"factor": APP, "sealed": self._factors.seal(_user(actor), APP, made.secret)}
            else:
                made, columns = await self._send_first_code(connection, actor, factor, address, now)
            token = await challenges.pose(connection, SET_UP, progress, now + CODE_LASTS, now, **columns)
        return replace(made, challenge=token)

    async def pending_set_up(self, request: Request, token: str) -> SetUp | None:
        """What is being set up, to show it again; None when that took too long."""
        actor = login_of(request)
        async with self._app.storage.system("a second factor of a user") as connection:
            found = await challenges.find(connection, token, self._app.clock.now(), SET_UP)
        if found is None or found.progress.user_id != actor.user_id or found.factor is None:
            return None
        if found.factor == APP and found.sealed is not None:
            secret = self._factors.open(_user(actor), APP, found.sealed)
            return SetUp(APP, APP_LABEL, token, secret, totp.provisioning_uri(secret, actor.email))
        return SetUp(found.factor, self._factors.label(found.factor), token)

    async def finish_set_up(self, request: Request, token: str, code: str) -> list[str]:
        """Prove that the factor works; gives fresh recovery codes where there were none. A wrong code is a 401."""
        actor, now = login_of(request), self._app.clock.now()
        await self._parts.throttle.admit(Attempt.CODE, address_of(request), _user(actor))
        async with self._app.storage.system("a second factor of a user") as connection:
            found = await challenges.find(connection, token, now, SET_UP)
            if found is None or found.progress.user_id != actor.user_id or found.factor is None:
                raise Problem(401, "set_up_expired", "This took too long. Begin again.")
            right, counter = self._proves(found, code, now)
            left, recovery = 0, list[str]()
            if right:
                await challenges.drop(connection, found)
                await self._factors.enable(connection, _user(actor), found.factor, found.sealed, now, counter)
                if not await self._factors.recovery_codes_left(connection, _user(actor)):
                    recovery = await self._factors.new_recovery_codes(connection, _user(actor))
                mine = login_sessions.c.id == actor.login_id
                await connection.execute(update(login_sessions).where(mine).values(second_factor=found.factor))
                self._parts.recognition.forget_after(connection)
                await self._note(connection, request, "auth.second_factor.enabled", factor=found.factor)
            else:
                left = await challenges.count_try(connection, found)
        if not right:
            raise Problem(401, "wrong_code", f"The code is wrong or too old. Tries left: {left}.")
        await self._parts.throttle.forget(Attempt.CODE, _user(actor))
        return recovery

    async def disable(self, request: Request, factor: str, given: Given) -> None:
        """Take a factor away; not the last one where the tenant asks for one."""
        actor = login_of(request)
        await self._prove(request, actor, given)
        required = (await self._policy(actor)).second_factor_required
        async with self._app.storage.system("a second factor of a user") as connection:
            held = await self._factors.of_user(connection, _user(actor))
            if required and [entry.name for entry in held] == [factor]:
                raise Impossible("Your organisation asks for a second factor; set another one up first.")
            if not await self._factors.disable(connection, _user(actor), factor):
                raise Unknown("You have no such second factor.")
            await devices.forget_devices(connection, _user(actor))
            self._parts.recognition.forget_after(connection)
            await self._note(connection, request, "auth.second_factor.disabled", factor=factor)

    async def new_recovery_codes(self, request: Request, given: Given) -> list[str]:
        """Ten fresh recovery codes; those of before are void."""
        actor = login_of(request)
        await self._prove(request, actor, given)
        async with self._app.storage.system("recovery codes of a user") as connection:
            if not await self._factors.of_user(connection, _user(actor)):
                raise Impossible("Set up a second factor first.")
            await self._note(connection, request, "auth.recovery_codes.replaced")
            return await self._factors.new_recovery_codes(connection, _user(actor))

    async def confirm(self, request: Request, given: Given) -> None:
        """Show once more who one is, for what asks for a fresh login."""
        actor = login_of(request)
        await self._prove(request, actor, given)
        async with self._app.storage.system("a login of a user") as connection:
            mine = login_sessions.c.id == actor.login_id
            await connection.execute(update(login_sessions).where(mine).values(confirmed_at=self._app.clock.now()))
            self._parts.recognition.forget_after(connection)

    # --- logins and browsers ---

    async def logins(self, request: Request) -> Sequence[LoginEntry]:
        """Where the user is signed in."""
        actor = login_of(request)
        policy = await self._policy(actor)
        async with self._app.storage.system("logins of a user at every tenant") as connection:
            return await logins.list_logins(connection, _user(actor), policy, self._app.clock.now())

    async def close_login(self, request: Request, login_id: UUID) -> None:
        """Sign out somewhere. Raises Unknown."""
        actor = login_of(request)
        async with self._app.storage.system("a login of a user") as connection:
            if not await logins.close_login(connection, _user(actor), login_id):
                raise Unknown("You have no such login.")
            self._parts.recognition.forget_after(connection)
            await self._note(connection, request, "auth.login.revoked")

    async def close_logins(self, request: Request, *, keep_this: bool) -> int:
        """Sign out everywhere, or everywhere else; remembered browsers are forgotten too."""
        actor = login_of(request)
        async with self._app.storage.system("logins of a user at every tenant") as connection:
            keep = actor.login_id if keep_this else None
            closed = await logins.close_logins(connection, _user(actor), keep=keep)
            await devices.forget_devices(connection, _user(actor))
            self._parts.recognition.forget_after(connection)
            await self._note(connection, request, "auth.logins.revoked", count=closed)
        return closed

    async def devices(self, request: Request) -> Sequence[Device]:
        """Browsers that are not asked for a second factor."""
        actor = login_of(request)
        async with self._app.storage.system("browsers of a user") as connection:
            return await devices.list_devices(connection, _user(actor), self._app.clock.now())

    async def forget_device(self, request: Request, device_id: UUID | None) -> None:
        """Ask for a second factor again in one browser, or in all. Raises Unknown."""
        actor = login_of(request)
        async with self._app.storage.system("browsers of a user") as connection:
            if not await devices.forget_devices(connection, _user(actor), device_id) and device_id is not None:
                raise Unknown("There is no such browser.")
            await self._note(connection, request, "auth.device.forgotten")

    # --- tokens ---

    async def tokens(self, request: Request) -> Sequence[PersonalToken]:
        """The user's tokens at the tenant."""
        actor = login_of(request)
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            return await personal_tokens.list_tokens(connection, actor.tenant.id, _user(actor), self._app.clock.now())

    async def create_token(
        self, request: Request, name: str, scopes: Collection[str], expires_at: datetime | None
    ) -> NewPersonalToken:
        """Make a token that may do what `scopes` say, as long as the user may."""
        actor = login_of(request)
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            made = await personal_tokens.create_token(
                connection, actor, name, scopes, self._app.clock.now(), expires_at
            )
            await self._note(
                connection, request, "auth.personal_token.created", token=made.token.prefix, scopes=made.token.scopes
            )
        return made

    async def revoke_token(self, request: Request, token_id: int) -> str:
        """Revoke a token; gives its name. Raises Unknown."""
        actor = login_of(request)
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            name = await personal_tokens.revoke_token(
                connection, actor.tenant.id, _user(actor), token_id, self._app.clock.now()
            )
            self._parts.recognition.forget_after(connection)
            await self._note(connection, request, "auth.personal_token.revoked", name=name)
        return name

    def _new_app(self, actor: Actor) -> SetUp:
        secret = totp.new_secret()
        return SetUp(APP, APP_LABEL, secret=secret, uri=totp.provisioning_uri(secret, actor.email))

    async def _check_may_set_up(self, request: Request, actor: Actor, given: Given) -> None:
        """A first factor needs a fresh login; another one, or another app, always the password or a code."""
        held = (await self.factors(request)).held
        fresh = actor.confirmed_at is not None and self._app.clock.now() - actor.confirmed_at < FRESH
        if held or not fresh:
            await self._prove(request, actor, given)

    async def _prove(self, request: Request, actor: Actor, given: Given) -> None:
        """Raise WrongPassword unless the password or a code is right."""
        user_id = _user(actor)
        await self._parts.throttle.admit(Attempt.CODE, address_of(request), user_id)
        async with self._app.storage.system("a password of a user") as connection:
            stored = await connection.scalar(select(users.c.password_hash).where(users.c.id == user_id))
        right = bool(given.password) and await verify_password(given.password, stored)
        if not right and given.code:
            async with self._app.storage.system("a second factor of a user") as connection:
                now = self._app.clock.now()
                right = await self._factors.matching(connection, user_id, given.code, now, None) is not None
        if not right:
            async with self._app.storage.system("a failure to write down") as connection:
                await self._note(connection, request, "auth.confirmation.failed")
            raise WrongPassword("Give your password, or a code of your second factor; what was given is wrong.")
        await self._parts.throttle.forget(Attempt.CODE, user_id)

    async def _limit_messages(
        self, connection: AsyncConnection, request: Request, actor: Actor, factor: str, now: datetime
    ) -> None:
        if factor == APP:
            return
        last = await challenges.last_sent(connection, _user(actor), SET_UP)
        if last is not None and now - last < RESEND_AFTER:
            seconds = max(1, round((RESEND_AFTER - (now - last)).total_seconds()))
            raise Problem(
                429,
                "too_soon",
                f"Wait {seconds} seconds before another is sent.",
                headers={"Retry-After": str(seconds)},
            )
        await self._parts.throttle.admit(Attempt.MESSAGE, address_of(request), _user(actor))

    async def _send_first_code(
        self, connection: AsyncConnection, actor: Actor, factor: str, address: str, now: datetime
    ) -> tuple[SetUp, dict[str, Any]]:
        """Send the code to the very address that is kept, so that nobody proves one and enters another."""
        carrier = self._factors.carriers.get(factor)
        if carrier is None:
            raise Unknown("There is no such second factor.")
        kept = carrier.check_address(address.strip()) if carrier.address_label else ""
        sent = await self._factors.send(connection, actor.tenant.id, _user(actor), factor, address=kept or actor.email)
        sealed = self._factors.seal(_user(actor), factor, kept) if kept else None
        columns = {"factor": factor, "code_hash": sent.code_hash, "sealed": sealed, "sent_at": now}
        return SetUp(factor, carrier.label, sent_to=sent.sent_to), columns

    def _proves(self, found: Challenge, code: str, now: datetime) -> tuple[bool, int | None]:
        """Whether a code is right, and for an app its time step, so that it is not good for a login too."""
        user_id = found.progress.user_id
        if found.factor != APP or found.sealed is None:
            return self._factors.sent_code_matches(user_id, code, found.code_hash), None
        counter = totp.matching_counter(self._factors.open(user_id, APP, found.sealed), code, now, None)
        return counter is not None, counter

    async def _policy(self, actor: Actor) -> SecurityPolicy:
        standing = await self._parts.standings.of(actor.tenant.id, _user(actor))
        return SecurityPolicy.of(standing.tenant_settings if standing else {})

    async def _note(self, connection: AsyncConnection, request: Request, action: str, **details: Any) -> None:
        actor: Actor = request.state.actor
        await audit_of(self._app).record(connection, record_of(request, action, "user", actor.user_id, **details))


def login_of(request: Request) -> Actor:
    """Who is signed in with a login of their own; 403 for keys and tokens, which change nothing about an account."""
    actor: Actor = request.state.actor
    if actor.user_id is None or actor.login_id is None:
        raise Problem(403, "login_needed", "A key or token cannot do this; sign in.")
    return actor


def _user(actor: Actor) -> int:
    assert actor.user_id is not None
    return actor.user_id
