"""From somebody at the door to an open login: gathers the facts, asks what is missing, keeps the pending step.

    state = await flow.with_password(email, password, visitor)                    # the login form
    state = await flow.begin(connection, user_id, Proof.RESET_LINK, visitor)      # reset, invitation, single sign-on

`core.web.accounts.answers` turns a `LoginState` into a response: a page with its cookie, or JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.audit import ActorRef, ActorType, AuditLog, AuditRecord
from chatnation.core.auth import challenges
from chatnation.core.auth.challenges import RESEND_AFTER, Challenge, Progress
from chatnation.core.auth.device_names import device_name
from chatnation.core.auth.devices import is_remembered, remember_device
from chatnation.core.auth.events import SignedIn
from chatnation.core.auth.login_steps import Facts, Proof, Step, next_step
from chatnation.core.auth.logins import (
    OpenedLogin,
    Visitor,
    close_by_token,
    close_logins,
    is_logged_in_elsewhere,
    open_login,
)
from chatnation.core.auth.one_time import hash_token, new_code, new_token
from chatnation.core.auth.password_policy import rules_of_user
from chatnation.core.auth.passwords import PasswordRules, verify_password
from chatnation.core.auth.second_factors import APP, CODE_LASTS
from chatnation.core.auth.security_policy import SecurityPolicy
from chatnation.core.auth.single_sign_on import must_sign_on
from chatnation.core.auth.throttling import Attempt, Throttle, too_many
from chatnation.core.errors import Problem
from chatnation.core.mail import Mail, Mailer, masked
from chatnation.core.storage.models import memberships, tenants, users

if TYPE_CHECKING:
    from chatnation.core.auth.effective import Standing, Standings
    from chatnation.core.auth.new_passwords import NewPasswords
    from chatnation.core.auth.recognition import Recognition
    from chatnation.core.auth.second_factors import SecondFactors
    from chatnation.core.clock import Clock
    from chatnation.core.context import Actor
    from chatnation.core.signals import Signals
    from chatnation.core.storage.storage import Storage

__all__ = ["LoginFlow", "LoginState", "OpenedLogin", "Proof", "Step", "Visitor"]

LINK_LASTS = timedelta(minutes=15)
PASSWORD_LASTS = timedelta(minutes=5)
DEVICE = "device"
"""What counts as shown on a remembered device, where nothing was asked."""


@dataclass(frozen=True, slots=True)
class LoginState:
    """Where a login stands: `challenge` is the token of the pending step, `login` what was opened for `actor`.

    `factors` are the second factors to choose from and `factor` the one a code of which is asked for; `sent_to` is the
    masked address that a code or link went to. `confirm_only`: a take-over that needs no more than a yes.
    `retry_after`: seconds, when locked. `program`: tokens are wanted. `device_token`: of a device that is remembered
    from now on. `return_to`: the page to go to.
    """

    step: Step
    challenge: str | None = None
    login: OpenedLogin | None = None
    actor: Actor | None = None
    factors: tuple[str, ...] = ()
    factor: str | None = None
    sent_to: str | None = None
    confirm_only: bool = False
    retry_after: int = 0
    program: bool = False
    device_token: str | None = None
    return_to: str = "/"
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginFlow:
    """The service of the core that every way in goes through; `app.services.get(LoginFlow)`.

    `link(path, **query)` makes an address that can be mailed. `mailer` and `audit` are asked for each time, because the
    plugins that offer them may be switched.
    """

    storage: Storage
    clock: Clock
    standings: Standings
    recognition: Recognition
    factors: SecondFactors
    throttle: Throttle
    passwords: NewPasswords
    mailer: Callable[[], Mailer]
    audit: Callable[[], AuditLog]
    signals: Signals
    link: Callable[..., str]

    async def with_password(self, email: str, password: str, visitor: Visitor, *, return_to: str = "/") -> LoginState:
        """Begin with an address and a password. Unknown addresses and wrong passwords take and answer the same."""
        seconds = await self.throttle.seconds_to_wait(Attempt.LOGIN, visitor.ip_address, email)
        if seconds:
            return LoginState(next_step(Facts(locked=True)), retry_after=seconds)
        async with self.storage.system("a login names no tenant yet") as connection:
            query = select(users.c.id, users.c.password_hash).where(func.lower(users.c.email) == email.strip().lower())
            user = (await connection.execute(query)).one_or_none()
        right = await verify_password(password, user.password_hash if user else None)
        async with self.storage.system("begin a login") as connection:
            if user is None or not right:
                await self._note_failure(connection, user.id if user else None, email, visitor, "wrong_credentials")
                return LoginState(next_step(Facts()))
            state = await self.begin(connection, user.id, Proof.PASSWORD, visitor, return_to=return_to)
        if state.step is not Step.REFUSED:
            await self.throttle.forget(Attempt.LOGIN, email)
        return state

    async def begin(
        self,
        connection: AsyncConnection,
        user_id: int,
        proof: Proof,
        visitor: Visitor,
        *,
        tenant_id: int | None = None,
        second_factor_shown: bool = False,
        return_to: str = "/",
    ) -> LoginState:
        """Begin for somebody who has shown who they are by `proof`, in a transaction of the system door.

        `tenant_id`: the membership to open, such as the one that an invitation was for; otherwise the user's first
        active one. `second_factor_shown`: a provider vouches for it. Gives `REFUSED` without an active membership.
        """
        chosen = tenant_id or await _first_tenant(connection, user_id)
        if chosen is None:
            await self._note_failure(connection, user_id, "", visitor, "no_membership")
            return LoginState(Step.REFUSED)
        shown = str(proof) if second_factor_shown else None
        progress = Progress(chosen, user_id, proof, visitor.program, shown, return_to=return_to)
        return await self._advance(connection, progress, visitor)

    async def pending(self, token: str) -> LoginState | None:
        """The step that a challenge waits for, to draw its page; None when it is over."""
        async with self.storage.system("a challenge names no tenant yet") as connection:
            found = await challenges.find(connection, token, self.clock.now(), *_STEPS)
            if found is None:
                return None
            factors = await self.factors.choices(connection, found.progress.user_id)
            return LoginState(
                Step(found.purpose),
                challenge=token,
                factors=factors,
                factor=found.factor or next(iter(factors), None),
                confirm_only=_vouched(found.progress),
                return_to=found.progress.return_to,
            )

    async def rules_of_pending(self, token: str) -> PasswordRules | None:
        """What the new password of a pending change has to be; None when the step is over."""
        async with self.storage.system("a challenge names no tenant yet") as connection:
            found = await challenges.find(connection, token, self.clock.now(), Step.CHANGE_PASSWORD)
            return await rules_of_user(connection, found.progress.user_id) if found else None

    async def show_code(self, token: str, code: str, visitor: Visitor, *, remember: bool = False) -> LoginState:
        """Answer the second-factor step. Raises a Problem for a wrong code, and when the step is over."""
        return await self._answer(token, Step.SECOND_FACTOR, visitor, code=code, remember=remember)

    async def take_over(self, token: str, visitor: Visitor, *, code: str = "") -> LoginState:
        """Answer the take-over step: with the mailed code, or with nothing where a second factor was just shown."""
        return await self._answer(token, Step.TAKE_OVER, visitor, code=code)

    async def take_over_by_link(self, link_token: str, visitor: Visitor) -> LoginState:
        """Answer the take-over step by the mailed link, in whichever browser it was opened."""
        await self.throttle.admit(Attempt.LINK, visitor.ip_address)
        async with self.storage.system("a link names no tenant yet") as connection:
            found = await challenges.find_by_link(connection, link_token, self.clock.now(), Step.TAKE_OVER)
            if found is None:
                raise _over()
            await challenges.drop(connection, found)
            return await self._advance(connection, replace(found.progress, taken_over=True), visitor)

    async def change_password(
        self, token: str, password: str, visitor: Visitor, *, current: str | None = None
    ) -> LoginState:
        """Answer the step that asks for a new password. Raises WeakPassword, WrongPassword, and when it is over."""
        async with self.storage.system("a challenge names no tenant yet") as connection:
            found = await challenges.find(connection, token, self.clock.now(), Step.CHANGE_PASSWORD)
        if found is None:
            raise _over()
        user_id = found.progress.user_id
        await self.throttle.admit(Attempt.CODE, visitor.ip_address, user_id)
        new = await self.passwords.checked(user_id, password, current=current)
        async with self.storage.system("a new password instead of an expired one") as connection:
            found = await challenges.find(connection, token, self.clock.now(), Step.CHANGE_PASSWORD)
            if found is None:
                raise _over()
            await challenges.drop(connection, found)
            await self.passwords.store(connection, new)
            await self._note(connection, found.progress, "auth.password.changed", visitor, expired=True)
            state = await self._advance(connection, found.progress, visitor)
        await self.throttle.forget(Attempt.CODE, user_id)
        return state

    async def send_again(self, token: str, visitor: Visitor, *, factor: str | None = None) -> LoginState:
        """Send another code or link, through `factor` where given; at most one a minute."""
        async with self.storage.system("a challenge names no tenant yet") as connection:
            now = self.clock.now()
            found = await challenges.find(connection, token, now, Step.SECOND_FACTOR, Step.TAKE_OVER)
            if found is None:
                raise _over()
            if found.sent_at is not None and now - found.sent_at < RESEND_AFTER:
                raise _too_soon(RESEND_AFTER - (now - found.sent_at))
            await self.throttle.admit(Attempt.MESSAGE, visitor.ip_address, found.progress.user_id)
            if found.purpose == Step.TAKE_OVER:
                columns, sent_to = await self._send_take_over(connection, found.progress, visitor)
                factor = None
            else:
                factor = await self._wanted(connection, found, factor)
                columns, sent_to = await self._send_code(connection, found.progress, factor)
            await challenges.change(connection, found, **columns)
        return LoginState(Step(found.purpose), challenge=token, factor=factor, sent_to=sent_to)

    async def give_up(self, token: str) -> None:
        """Forget a pending step, because whoever it was turned round."""
        async with self.storage.system("a challenge names no tenant yet") as connection:
            found = await challenges.find(connection, token, self.clock.now(), *_STEPS)
            if found is not None:
                await challenges.drop(connection, found)

    async def _answer(
        self, token: str, step: Step, visitor: Visitor, *, code: str, remember: bool = False
    ) -> LoginState:
        async with self.storage.system("a challenge names no tenant yet") as connection:
            now = self.clock.now()
            found = await challenges.find(connection, token, now, step)
            if found is None:
                raise _over()
            user_id = found.progress.user_id
            seconds = await self.throttle.seconds_to_wait(Attempt.CODE, visitor.ip_address, user_id)
            if seconds:
                raise too_many(seconds)
            shown = await self._progress_by(connection, found, code)
            state, left = None, 0
            if shown is not None:
                await challenges.drop(connection, found)
                state = await self._advance(connection, shown, visitor, remember=remember)
            else:
                left = await challenges.count_try(connection, found)
                await self._note(connection, found.progress, "auth.second_factor.failed", visitor, step=str(step))
        if state is None:
            raise _wrong_code(left)  # Only now, so that the try stays counted.
        await self.throttle.forget(Attempt.CODE, user_id)
        return state

    async def _progress_by(self, connection: AsyncConnection, found: Challenge, code: str) -> Progress | None:
        """How far the login has come by an answer; None by a wrong one."""
        progress = found.progress
        if found.purpose == Step.TAKE_OVER:
            sure = _vouched(progress) or self.factors.sent_code_matches(progress.user_id, code, found.code_hash)
            return replace(progress, taken_over=True) if sure else None
        sent = (found.factor, found.code_hash) if found.factor and found.code_hash else None
        factor = await self.factors.matching(connection, progress.user_id, code, self.clock.now(), sent)
        return replace(progress, second_factor=factor) if factor else None

    async def _advance(
        self, connection: AsyncConnection, progress: Progress, visitor: Visitor, *, remember: bool = False
    ) -> LoginState:
        """Gather the facts, and pose the next step or open the login."""
        now = self.clock.now()
        standing = await self.standings.read(connection, progress.tenant_id, progress.user_id)
        if standing is None:
            return LoginState(Step.REFUSED)
        other_way = progress.proof is not Proof.SINGLE_SIGN_ON
        if other_way and await must_sign_on(connection, progress.tenant_id, progress.user_id):
            raise Problem(403, "single_sign_on_required", "Your organisation signs in by single sign-on only.")
        policy = SecurityPolicy.of(standing.tenant_settings)
        visitor = replace(visitor, program=progress.program)
        choices = await self.factors.choices(connection, progress.user_id)
        asked = choices and progress.second_factor is None and policy.remember_devices
        if asked and await is_remembered(connection, progress.user_id, visitor.device_token, now):
            progress = replace(progress, second_factor=DEVICE)
        changed_at = await connection.scalar(select(users.c.password_changed_at).where(users.c.id == progress.user_id))
        elsewhere = policy.single_login and await is_logged_in_elsewhere(
            connection, progress.user_id, policy, now, visitor
        )
        step = next_step(
            Facts(
                proof=progress.proof,
                proven=True,
                has_second_factor=bool(choices),
                second_factor_shown=progress.second_factor is not None,
                second_factor_required=policy.second_factor_required,
                single_login=policy.single_login,
                logged_in_elsewhere=elsewhere,
                take_over_confirmed=progress.taken_over,
                password_expired=policy.password_expired(changed_at, now),
            )
        )
        device_token = None
        if remember and policy.remember_devices and _vouched(progress):
            device_token = await remember_device(connection, progress.user_id, visitor, now)
        if step.pending:
            state = await self._pose(connection, step, progress, standing, visitor, choices)
        else:
            login = await self._open(connection, progress, policy, visitor)
            actor = replace(
                standing.actor(), login_id=login.id, confirmed_at=now, limited=step is Step.SET_UP_SECOND_FACTOR
            )
            state = LoginState(
                step, login=login, actor=actor, return_to=progress.return_to, expires_at=login.expires_at
            )
        return replace(state, device_token=device_token, program=progress.program)

    async def _pose(
        self,
        connection: AsyncConnection,
        step: Step,
        progress: Progress,
        standing: Standing,
        visitor: Visitor,
        choices: tuple[str, ...],
    ) -> LoginState:
        now, columns, sent_to, factor = self.clock.now(), dict[str, Any](), None, None
        if step is Step.SECOND_FACTOR:
            factor, expires_at = choices[0], now + CODE_LASTS
            if factor != APP:
                columns, sent_to = await self._send_code(connection, progress, factor)
        elif step is Step.TAKE_OVER:
            expires_at = now + LINK_LASTS
            if not _vouched(progress):
                columns, sent_to = await self._send_take_over(connection, progress, visitor)
        else:
            expires_at = now + PASSWORD_LASTS
        columns.setdefault("expires_at", expires_at)
        expires_at = columns.pop("expires_at")
        token = await challenges.pose(connection, str(step), progress, expires_at, now, **columns)
        return LoginState(
            step,
            challenge=token,
            factors=choices if step is Step.SECOND_FACTOR else (),
            factor=factor,
            sent_to=sent_to,
            confirm_only=step is Step.TAKE_OVER and _vouched(progress),
            return_to=progress.return_to,
            expires_at=expires_at,
        )

    async def _open(
        self, connection: AsyncConnection, progress: Progress, policy: SecurityPolicy, visitor: Visitor
    ) -> OpenedLogin:
        """Open the login instead of the one that the browser had, and of all others where one is all there may be."""
        if policy.single_login:
            await close_logins(connection, progress.user_id)
        elif visitor.session_token:
            await close_by_token(connection, visitor.session_token)
        self.recognition.forget_after(connection)
        self.signals.publish(connection, SignedIn(progress.tenant_id, progress.user_id))
        await self._note(
            connection,
            progress,
            "auth.login",
            visitor,
            proof=str(progress.proof),
            second_factor=progress.second_factor,
            took_over=progress.taken_over,
        )
        return await open_login(
            connection,
            progress.tenant_id,
            progress.user_id,
            policy,
            self.clock.now(),
            visitor,
            proof=progress.proof,
            second_factor=progress.second_factor,
        )

    async def _wanted(self, connection: AsyncConnection, found: Challenge, factor: str | None) -> str:
        choices = await self.factors.choices(connection, found.progress.user_id)
        senders = [name for name in choices if name != APP]
        wanted = factor or found.factor or next(iter(senders), None)
        if wanted not in senders:
            raise Problem(422, "no_such_factor", "No code can be sent that way.")
        return wanted

    async def _send_code(
        self, connection: AsyncConnection, progress: Progress, factor: str
    ) -> tuple[dict[str, Any], str]:
        sent = await self.factors.send(connection, progress.tenant_id, progress.user_id, factor)
        now = self.clock.now()
        columns = {"factor": factor, "code_hash": sent.code_hash, "sent_at": now, "expires_at": now + CODE_LASTS}
        return columns, sent.sent_to

    async def _send_take_over(
        self, connection: AsyncConnection, progress: Progress, visitor: Visitor
    ) -> tuple[dict[str, Any], str]:
        now, code, token = self.clock.now(), new_code(), new_token()
        user = (
            await connection.execute(select(users.c.name, users.c.email).where(users.c.id == progress.user_id))
        ).one()
        values = {
            "name": user.name,
            "link": self.link("/verify-login", token=token),
            "code": code,
            "minutes": int(LINK_LASTS / timedelta(minutes=1)),
            "ip_address": visitor.ip_address or "",
            "device": device_name(visitor.user_agent),
        }
        await self.mailer().send(connection, Mail(user.email, "takeover", values, progress.tenant_id))
        columns = {
            "code_hash": self.factors.hash_code(progress.user_id, code),
            "link_hash": hash_token(token),
            "sent_at": now,
            "expires_at": now + LINK_LASTS,
        }
        return columns, masked(user.email)

    async def _note(
        self, connection: AsyncConnection, progress: Progress, action: str, visitor: Visitor, **details: Any
    ) -> None:
        email = await connection.scalar(select(users.c.email).where(users.c.id == progress.user_id))
        await self.audit().record(
            connection,
            AuditRecord(
                progress.tenant_id,
                action,
                ActorRef(ActorType.USER, progress.user_id, email or ""),
                "user",
                str(progress.user_id),
                details,
                visitor.ip_address,
                visitor.user_agent,
            ),
        )

    async def _note_failure(
        self, connection: AsyncConnection, user_id: int | None, email: str, visitor: Visitor, reason: str
    ) -> None:
        """Failed logins are for the tenants of the account to see; those at unknown addresses for the instance."""
        told = list(await connection.scalars(_tenants_of(user_id))) if user_id is not None else []
        for tenant_id in told or [None]:
            details = {"reason": reason, "email": masked(email.strip()[:254])} if email else {"reason": reason}
            record = AuditRecord(
                tenant_id,
                "auth.login_failure",
                None,
                "user",
                None if user_id is None else str(user_id),
                details,
                visitor.ip_address,
                visitor.user_agent,
            )
            await self.audit().record(connection, record)


_STEPS = tuple(str(step) for step in Step if step.pending)


def _vouched(progress: Progress) -> bool:
    """Whether a second factor was shown just now, and not some time ago on this device."""
    return progress.second_factor not in (None, DEVICE)


def _tenants_of(user_id: int) -> Any:
    return (
        select(memberships.c.tenant_id)
        .join(tenants, tenants.c.id == memberships.c.tenant_id)
        .where(memberships.c.user_id == user_id, memberships.c.active, tenants.c.active)
        .order_by(memberships.c.created_at, memberships.c.tenant_id)
    )


async def _first_tenant(connection: AsyncConnection, user_id: int) -> int | None:
    enabled = select(users.c.id).where(users.c.id == user_id, users.c.disabled_at.is_(None)).exists()
    first: int | None = await connection.scalar(_tenants_of(user_id).where(enabled).limit(1))
    return first


def _over() -> Problem:
    return Problem(401, "login_expired", "This took too long, or too many wrong codes were given. Sign in again.")


def _wrong_code(left: int) -> Problem:
    if left <= 0:
        return Problem(401, "login_expired", "That was the wrong code once too often. Sign in again.")
    tries = "one more time" if left == 1 else f"{left} more times"
    return Problem(401, "wrong_code", f"The code is wrong or too old. You can try {tries}.")


def _too_soon(wait: timedelta) -> Problem:
    seconds = max(1, -int(-wait.total_seconds() // 1))
    return Problem(
        429, "too_soon", f"Wait {seconds} seconds before another is sent.", headers={"Retry-After": str(seconds)}
    )
