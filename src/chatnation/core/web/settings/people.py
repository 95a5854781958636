"""Members and invitations: what is done to them, with its mails, records and notices, for pages and routes alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from chatnation.core.audit import AuditRecord, audit_of
from chatnation.core.auth import invitations, members
from chatnation.core.auth.effective import Standings
from chatnation.core.auth.events import MemberDeactivated, MemberReactivated, MemberRoleChanged
from chatnation.core.auth.invitations import Invitation, InvitationLink
from chatnation.core.auth.members import MemberEntry
from chatnation.core.auth.tenant_roles import TenantRole, list_roles
from chatnation.core.auth.throttling import Attempt, Throttle
from chatnation.core.mail import Mail, mailer_of
from chatnation.core.web.audited import record_of
from chatnation.core.web.links import link

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.context import Actor


class People:
    """The people of the tenant of whoever sends a request. Everything raises what `core.auth.refusals` names."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._standings = app.services.get(Standings)
        self._throttle = Throttle(app.redis)

    async def members(self, actor: Actor) -> list[MemberEntry]:
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            return await members.list_member_entries(connection, actor.tenant.id)

    async def invitations(self, actor: Actor) -> list[Invitation]:
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            return await invitations.list_invitations(connection, actor.tenant.id)

    async def roles(self, actor: Actor) -> list[TenantRole]:
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            return await list_roles(connection, actor.tenant.id, self._standings.defaults)

    async def invite(self, request: Request, email: str, role: str) -> Invitation:
        """Mail somebody a link that makes them a member with `role`."""
        actor, now = _actor(request), self._app.clock.now()
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            made = await invitations.invite(connection, actor, self._standings.defaults, email, role, now)
            await self._mail(connection, actor, made)
            await self._record(connection, _about(request, "config.invitation.created", made.invitation))
        return made.invitation

    async def resend(self, request: Request, invitation_id: int) -> Invitation:
        """Mail the invitation again, with a fresh link."""
        actor, now = _actor(request), self._app.clock.now()
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            made = await invitations.resend(connection, actor, self._standings.defaults, invitation_id, now)
            await self._mail(connection, actor, made)
            await self._record(connection, _about(request, "config.invitation.resent", made.invitation))
        return made.invitation

    async def revoke(self, request: Request, invitation_id: int) -> Invitation:
        """Void the link of an invitation."""
        actor, now = _actor(request), self._app.clock.now()
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            gone = await invitations.revoke_invitation(connection, actor.tenant.id, invitation_id, now)
            await self._record(connection, _about(request, "config.invitation.revoked", gone))
        return gone

    async def change_role(self, request: Request, user_id: int, role: str) -> MemberEntry:
        """Give a member another role; gives who they are now."""
        actor = _actor(request)
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            before, given = await members.change_member_role(connection, actor, self._standings.defaults, user_id, role)
            self._app.signals.publish(connection, MemberRoleChanged(actor.tenant.id, user_id))
            details: dict[str, Any] = {"email": before.email, "from": before.role, "to": given.name}
            await self._record(connection, record_of(request, "config.member.role_changed", "user", user_id, **details))
            return await self._changed(connection, actor, user_id)

    async def deactivate(self, request: Request, user_id: int) -> MemberEntry:
        """Take a member's access away, on every process within a second."""
        actor = _actor(request)
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            member = await members.deactivate_member(connection, actor, self._standings.defaults, user_id)
            self._app.signals.publish(connection, MemberDeactivated(actor.tenant.id, user_id))
            await self._record(
                connection, record_of(request, "config.member.deactivated", "user", user_id, email=member.email)
            )
            return await self._changed(connection, actor, user_id)

    async def reactivate(self, request: Request, user_id: int) -> MemberEntry:
        """Give a deactivated member access again."""
        actor = _actor(request)
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            member = await members.reactivate_member(connection, actor, self._standings.defaults, user_id)
            self._app.signals.publish(connection, MemberReactivated(actor.tenant.id, user_id))
            await self._record(
                connection, record_of(request, "config.member.reactivated", "user", user_id, email=member.email)
            )
            return await self._changed(connection, actor, user_id)

    async def _changed(self, connection: AsyncConnection, actor: Actor, user_id: int) -> MemberEntry:
        self._standings.forget_after(connection)
        return await members.member_entry(connection, actor.tenant.id, user_id)

    async def _mail(self, connection: AsyncConnection, actor: Actor, made: InvitationLink) -> None:
        """Mail the link; raises 429, which takes back what the transaction did, when the tenant sends too many."""
        tenant = f"tenant {actor.tenant.id}"
        await self._throttle.admit(Attempt.MESSAGE, tenant, f"{tenant} invites {made.invitation.email}")
        values = {
            "workspace": actor.tenant.name,
            "inviter": actor.name or actor.tenant.name,
            "role": made.invitation.role.replace("_", " "),
            "link": link(self._app.settings, "/invitation", token=made.token),
            "days": invitations.VALID_FOR.days,
        }
        await mailer_of(self._app).send(connection, Mail(made.invitation.email, "invite", values, actor.tenant.id))

    async def _record(self, connection: AsyncConnection, record: AuditRecord) -> None:
        await audit_of(self._app).record(connection, record)


def _actor(request: Request) -> Actor:
    actor: Actor = request.state.actor
    return actor


def _about(request: Request, action: str, invitation: Invitation) -> AuditRecord:
    return record_of(request, action, "invitation", invitation.id, email=invitation.email, role=invitation.role)
