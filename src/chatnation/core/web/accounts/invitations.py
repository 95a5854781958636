"""Answering an invitation, for pages and routes alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from chatnation.core.audit import ActorRef, ActorType, audit_of
from chatnation.core.auth import invitations
from chatnation.core.auth.effective import Standings
from chatnation.core.auth.events import MemberJoined
from chatnation.core.auth.invitations import OpenInvitation
from chatnation.core.auth.login_flow import LoginFlow, LoginState, Proof
from chatnation.core.auth.names import checked_name
from chatnation.core.auth.passwords import hash_password
from chatnation.core.auth.refusals import NotAllowed, SignInInstead
from chatnation.core.auth.throttling import Attempt, Throttle
from chatnation.core.web.accounts.visitors import address_of, visitor_of
from chatnation.core.web.audited import record_of

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.context import Actor


class Answering:
    """What the holder of an invitation's link may do. Everything raises what `core.auth.refusals` names, and 429."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._throttle = Throttle(app.redis)

    async def open(self, request: Request, token: str) -> OpenInvitation:
        """What the link opens. Raises BadLink."""
        await self._throttle.admit(Attempt.LINK, address_of(request))
        async with self._app.storage.system("a link names no tenant") as connection:
            return await invitations.open_invitation(connection, token, self._app.clock.now())

    async def accept(self, request: Request, token: str) -> OpenInvitation:
        """Make whoever is signed in a member, if the invitation is for their address."""
        await self._throttle.admit(Attempt.LINK, address_of(request))
        actor: Actor = request.state.actor
        if actor.user_id is None:
            raise NotAllowed("Only a person accepts an invitation; sign in.")
        async with self._app.storage.system("a link names no tenant") as connection:
            accepted = await invitations.accept(connection, token, actor.user_id, actor.email, self._app.clock.now())
            await self._joined(connection, request, accepted, actor.user_id)
        return accepted

    async def claim(self, request: Request, token: str, name: str, password: str) -> LoginState:
        """Make the invited person a user with this password, and let them in as far as the tenant's rules go."""
        opened = await self.open(request, token)
        if opened.known:
            raise SignInInstead(f"There is a user {opened.email} already; sign in to accept.")
        name = checked_name(name or opened.email.partition("@")[0])
        opened.rules.check(password)
        password_hash = await hash_password(password)
        async with self._app.storage.system("a new user of a tenant that a link names") as connection:
            claimed, user_id = await invitations.claim(
                connection, token, name=name, password_hash=password_hash, now=self._app.clock.now()
            )
            await self._joined(connection, request, claimed, user_id)
            flow = self._app.services.get(LoginFlow)
            return await flow.begin(
                connection, user_id, Proof.INVITATION, visitor_of(request), tenant_id=claimed.tenant.id
            )

    async def _joined(
        self, connection: AsyncConnection, request: Request, accepted: OpenInvitation, user_id: int
    ) -> None:
        tenant_id = accepted.tenant.id
        self._app.services.get(Standings).forget_after(connection)
        self._app.signals.publish(connection, MemberJoined(tenant_id, user_id))
        record = record_of(
            request,
            "config.invitation.accepted",
            "invitation",
            accepted.id,
            tenant_id=tenant_id,
            actor=ActorRef(ActorType.USER, user_id, accepted.email),
            email=accepted.email,
            role=accepted.role,
        )
        await audit_of(self._app).record(connection, record)
