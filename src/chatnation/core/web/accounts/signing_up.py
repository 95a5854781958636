"""Signing up, for the page and the route alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request

from chatnation.core.audit import ActorRef, ActorType, audit_of
from chatnation.core.auth.events import MemberJoined, TenantCreated
from chatnation.core.auth.login_flow import LoginFlow, LoginState, Proof
from chatnation.core.auth.password_policy import STRICT
from chatnation.core.auth.passwords import hash_password
from chatnation.core.auth.refusals import NotAllowed
from chatnation.core.auth.signup import may_sign_up, sign_up
from chatnation.core.auth.throttling import Attempt, Throttle
from chatnation.core.web.accounts.visitors import address_of, visitor_of
from chatnation.core.web.audited import record_of

if TYPE_CHECKING:
    from chatnation.core.app import App


class SigningUp:
    """Makes tenants for whoever comes, as far as the deployment lets them."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._throttle = Throttle(app.redis)

    async def available(self) -> bool:
        """Whether somebody may sign up now."""
        async with self._app.storage.system("whether there is a tenant yet") as connection:
            return await may_sign_up(connection, self._app.settings.deployment_mode)

    async def sign_up(
        self, request: Request, *, email: str, password: str, name: str, organisation: str, slug: str | None
    ) -> LoginState:
        """Make user and tenant, and let the user in. Raises NotAllowed, NameTaken, InvalidName, WeakPassword."""
        await self._throttle.admit(Attempt.SIGNUP, address_of(request), email)
        if not await self.available():
            raise NotAllowed("Nobody can sign up here; ask somebody of the organisation for an invitation.")
        STRICT.check(password)
        password_hash = await hash_password(password)
        async with self._app.storage.system("a new tenant") as connection:
            made = await sign_up(
                connection,
                self._app.settings.deployment_mode,
                email=email,
                name=name,
                organisation=organisation,
                password_hash=password_hash,
                slug=slug or None,
            )
            tenant_id = made.tenant.id
            self._app.signals.publish(connection, TenantCreated(tenant_id), MemberJoined(tenant_id, made.user_id))
            record = record_of(
                request,
                "auth.signup",
                "tenant",
                made.tenant.slug,
                tenant_id=tenant_id,
                actor=ActorRef(ActorType.USER, made.user_id, email),
            )
            await audit_of(self._app).record(connection, record)
            flow = self._app.services.get(LoginFlow)
            return await flow.begin(connection, made.user_id, Proof.SIGNUP, visitor_of(request), tenant_id=tenant_id)
