"""Changing, forgetting and resetting one's password, for pages and routes alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from chatnation.core.audit import ActorRef, ActorType, audit_of
from chatnation.core.auth.login_flow import LoginFlow, LoginState, Proof
from chatnation.core.auth.names import InvalidName, checked_email
from chatnation.core.auth.new_passwords import NewPassword, NewPasswords
from chatnation.core.auth.ongoing import proof_of
from chatnation.core.auth.password_policy import rules_of_user
from chatnation.core.auth.passwords import PasswordRules
from chatnation.core.auth.recognition import Recognition
from chatnation.core.auth.resets import use_reset, user_of_reset
from chatnation.core.auth.throttling import Attempt, Throttle
from chatnation.core.auth.users import find_user
from chatnation.core.mail import Mail, mailer_of
from chatnation.core.web.accounts.own_account import login_of
from chatnation.core.web.accounts.reset_mail import JOB
from chatnation.core.web.accounts.visitors import address_of, visitor_of
from chatnation.core.web.audited import record_of

if TYPE_CHECKING:
    from chatnation.core.app import App


class Passwords:
    """One's own password. Everything raises what `core.auth.refusals` names, and 429 after too many attempts."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._throttle = Throttle(app.redis)
        self._new = NewPasswords(app.storage, app.clock)

    async def rules(self, user_id: int) -> PasswordRules:
        """What the tenants of a user ask of a password."""
        async with self._app.storage.system("rules of every tenant of a user") as connection:
            return await rules_of_user(connection, user_id)

    async def change(self, request: Request, current: str, password: str) -> LoginState:
        """Replace the password of whoever is signed in; every login of theirs ends, and this browser gets a new one."""
        actor = login_of(request)
        assert actor.user_id is not None
        await self._throttle.admit(Attempt.LOGIN, address_of(request), actor.user_id)
        new = await self._new.checked(actor.user_id, password, current=current)
        await self._throttle.forget(Attempt.LOGIN, actor.user_id)
        visitor = visitor_of(request)
        async with self._app.storage.system("a password and logins of a user") as connection:
            _, second_factor = await proof_of(connection, visitor.session_token)
            await self._store(connection, request, new, "auth.password.changed")
            return await self._flow.begin(
                connection,
                actor.user_id,
                Proof.PASSWORD,
                visitor,
                tenant_id=actor.tenant.id,
                second_factor_shown=second_factor,
            )

    async def forget(self, request: Request, email: str) -> None:
        """Have a link mailed to the address, if it is somebody's; nothing tells whether."""
        await self._throttle.admit(Attempt.RESET, address_of(request), email)
        try:
            email = checked_email(email)
        except InvalidName:
            return
        payload = {
            "email": email,
            "ip_address": address_of(request),
            "user_agent": request.headers.get("user-agent", "")[:500],
        }
        async with self._app.storage.system("who forgot a password names no tenant") as connection:
            await self._app.jobs.enqueue(connection, JOB, payload)

    async def opened(self, request: Request, token: str) -> PasswordRules:
        """What the password behind a reset link has to be. Raises BadLink."""
        await self._throttle.admit(Attempt.LINK, address_of(request))
        async with self._app.storage.system("a link names no tenant") as connection:
            user_id = await user_of_reset(connection, token, self._app.clock.now())
            return await rules_of_user(connection, user_id)

    async def reset(self, request: Request, token: str, password: str) -> LoginState:
        """Set a new password with a link; every login ends, and a new one begins, second factor and all."""
        await self._throttle.admit(Attempt.LINK, address_of(request))
        now = self._app.clock.now()
        async with self._app.storage.system("a link names no tenant") as connection:
            user_id = await user_of_reset(connection, token, now)
        new = await self._new.checked(user_id, password)
        async with self._app.storage.system("a password and logins of a user") as connection:
            await use_reset(connection, token, now)
            await self._store(connection, request, new, "auth.password.reset")
            return await self._flow.begin(connection, user_id, Proof.RESET_LINK, visitor_of(request))

    async def _store(self, connection: AsyncConnection, request: Request, new: NewPassword, action: str) -> None:
        """Replace the password, end the logins, write it down for every tenant of the user, and mail the user."""
        await self._new.store(connection, new)
        self._app.services.get(Recognition).forget_after(connection)
        user = await find_user(connection, new.user_id)
        who = ActorRef(ActorType.USER, user.id, user.email)
        for tenant_id in user.tenant_ids:
            record = record_of(request, action, "user", user.id, tenant_id=tenant_id, actor=who)
            await audit_of(self._app).record(connection, record)
        values = {
            "name": user.name,
            "time": f"{self._app.clock.now():%d %B %Y, %H:%M} UTC",
            "ip_address": address_of(request) or "unknown",
        }
        await mailer_of(self._app).send(connection, Mail(user.email, "password_changed", values, None))

    @property
    def _flow(self) -> LoginFlow:
        return self._app.services.get(LoginFlow)
