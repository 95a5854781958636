"""Invitations to a tenant: made, mailed, answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.names import checked_email
from chatnation.core.auth.one_time import hash_token, new_token
from chatnation.core.auth.password_policy import rules_of
from chatnation.core.auth.passwords import PasswordRules
from chatnation.core.auth.permissions import Roles
from chatnation.core.auth.refusals import BadLink, Impossible, NotAllowed, SignInInstead
from chatnation.core.auth.tenancy import Unknown
from chatnation.core.auth.tenant_roles import check_grantable, find_role, find_role_to_give
from chatnation.core.context import Actor, Tenant
from chatnation.core.storage.models import invitations, memberships, roles, tenants, users

VALID_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Invitation:
    """One that waits for an answer. `expired`: too old to be accepted, but can be sent again."""

    id: int
    email: str
    role: str
    invited_by: str | None
    created_at: datetime
    sent_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class InvitationLink:
    """An invitation with the token that was just made for it, to be mailed. `token` is kept nowhere."""

    invitation: Invitation
    token: str


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """What the holder of a link is told: where to, as what, and what a password has to be.

    `known`: there is a user of that address, who signs in to accept; otherwise they choose a password.
    """

    id: int
    tenant: Tenant
    email: str
    role: str
    rules: PasswordRules
    known: bool


async def invite(
    connection: AsyncConnection, actor: Actor, defaults: Roles, email: str, wanted: str, now: datetime
) -> InvitationLink:
    """Invite an address to the actor's tenant; one that was invited already gets this role and a fresh link.

    Raises InvalidName, Unknown, NotAllowed for a role above the actor's, Impossible for a member.
    """
    email = checked_email(email)
    role = await find_role_to_give(connection, actor.tenant.id, wanted, defaults)
    check_grantable(actor, role)
    if await _is_member(connection, actor.tenant.id, email):
        raise Impossible(f"{email} is a member already.")
    token = new_token()
    system, role_id = role.stored
    values = {
        "email": email,
        "role": str(system),
        "role_id": role_id,
        "token_hash": hash_token(token),
        "invited_by": actor.user_id,
        "sent_at": now,
        "expires_at": now + VALID_FOR,
    }
    invitation_id = await connection.scalar(
        upsert(invitations)
        .values(tenant_id=actor.tenant.id, created_at=now, **values)
        .on_conflict_do_update(
            index_elements=[invitations.c.tenant_id, func.lower(invitations.c.email)],
            index_where=_WAITING,
            set_=values,
        )
        .returning(invitations.c.id)
    )
    assert invitation_id is not None
    return InvitationLink(await _find(connection, actor.tenant.id, invitation_id), token)


async def resend(
    connection: AsyncConnection, actor: Actor, defaults: Roles, invitation_id: int, now: datetime
) -> InvitationLink:
    """A fresh link for an invitation that waits; the one before is void. Raises Unknown, NotAllowed."""
    row = await _row(connection, actor.tenant.id, invitation_id)
    wanted = str(row.role_id) if row.role_id is not None else row.role
    check_grantable(actor, await find_role(connection, actor.tenant.id, wanted, defaults))
    token = new_token()
    await connection.execute(
        update(invitations)
        .where(invitations.c.id == invitation_id, invitations.c.tenant_id == actor.tenant.id)
        .values(token_hash=hash_token(token), sent_at=now, expires_at=now + VALID_FOR)
    )
    return InvitationLink(await _find(connection, actor.tenant.id, invitation_id), token)


async def revoke_invitation(
    connection: AsyncConnection, tenant_id: int, invitation_id: int, now: datetime
) -> Invitation:
    """Void an invitation that waits. Raises Unknown."""
    invitation = await _find(connection, tenant_id, invitation_id)
    await connection.execute(
        update(invitations)
        .where(invitations.c.id == invitation_id, invitations.c.tenant_id == tenant_id)
        .values(revoked_at=now)
    )
    return invitation


async def list_invitations(connection: AsyncConnection, tenant_id: int) -> list[Invitation]:
    """Those that wait for an answer, newest first; the expired ones too."""
    query = _ENTRIES.where(invitations.c.tenant_id == tenant_id, _WAITING).order_by(invitations.c.id.desc())
    return [_invitation(row) for row in await connection.execute(query)]


async def open_invitation(
    connection: AsyncConnection, token: str, now: datetime, *, lock: bool = False
) -> OpenInvitation:
    """What the link opens; needs the system door, because a link names no tenant. Raises BadLink."""
    query = (
        select(
            invitations.c.id,
            invitations.c.email,
            invitations.c.role,
            roles.c.name.label("own_role"),
            tenants.c.id.label("tenant_id"),
            tenants.c.slug,
            tenants.c.name,
            tenants.c.timezone,
            tenants.c.settings,
            select(users.c.id)
            .where(func.lower(users.c.email) == func.lower(invitations.c.email))
            .exists()
            .label("known"),
        )
        .select_from(
            invitations.join(tenants, tenants.c.id == invitations.c.tenant_id).outerjoin(
                roles, (roles.c.tenant_id == invitations.c.tenant_id) & (roles.c.id == invitations.c.role_id)
            )
        )
        .where(
            invitations.c.token_hash == hash_token(token), _WAITING, invitations.c.expires_at > now, tenants.c.active
        )
    )
    row = (await connection.execute(query.with_for_update(of=invitations) if lock else query)).one_or_none()
    if row is None:
        raise BadLink("This invitation is not valid any more. Ask for a new one.")
    return OpenInvitation(
        id=row.id,
        tenant=Tenant(row.tenant_id, row.slug, row.name, row.timezone),
        email=row.email,
        role=row.own_role or row.role,
        rules=rules_of(row.settings),
        known=row.known,
    )


async def accept(connection: AsyncConnection, token: str, user_id: int, email: str, now: datetime) -> OpenInvitation:
    """Make the signed-in user a member, if the invitation was for their address. Needs the system door.

    A member who was deactivated stays so: that is for the people of the tenant to change. Raises BadLink, NotAllowed,
    Impossible.
    """
    invitation = await open_invitation(connection, token, now, lock=True)
    if invitation.email.lower() != email.lower():
        raise NotAllowed("This invitation is for another address; sign in with that one.")
    await _join(connection, invitation, user_id, now)
    return invitation


async def claim(
    connection: AsyncConnection, token: str, *, name: str, password_hash: str, now: datetime
) -> tuple[OpenInvitation, int]:
    """Make the user that was invited, whose address is proven by the link, and a member; gives the user's id too.

    Needs the system door. Raises BadLink, SignInInstead where there is a user of the address.
    """
    invitation = await open_invitation(connection, token, now, lock=True)
    values = {
        "email": invitation.email,
        "name": name,
        "password_hash": password_hash,
        "password_changed_at": now,
        "email_verified_at": now,
    }
    made = upsert(users).values(values).on_conflict_do_nothing().returning(users.c.id)
    user_id = await connection.scalar(made)
    if user_id is None:
        raise SignInInstead(f"There is a user {invitation.email} already; sign in to accept.")
    await _join(connection, invitation, user_id, now)
    return invitation, user_id


async def _join(connection: AsyncConnection, invitation: OpenInvitation, user_id: int, now: datetime) -> None:
    row = (
        await connection.execute(
            select(invitations.c.role, invitations.c.role_id, invitations.c.invited_by).where(
                invitations.c.id == invitation.id
            )
        )
    ).one()
    joined = await connection.execute(
        upsert(memberships)
        .values(
            tenant_id=invitation.tenant.id,
            user_id=user_id,
            role=row.role,
            role_id=row.role_id,
            invited_by=row.invited_by,
        )
        .on_conflict_do_nothing()
    )
    if not joined.rowcount:
        raise Impossible("You are a member already.")
    await connection.execute(update(invitations).where(invitations.c.id == invitation.id).values(accepted_at=now))


async def _is_member(connection: AsyncConnection, tenant_id: int, email: str) -> bool:
    query = (
        select(memberships.c.user_id)
        .join(users, users.c.id == memberships.c.user_id)
        .where(memberships.c.tenant_id == tenant_id, func.lower(users.c.email) == email.lower())
    )
    return await connection.scalar(query) is not None


async def _find(connection: AsyncConnection, tenant_id: int, invitation_id: int) -> Invitation:
    return _invitation(await _row(connection, tenant_id, invitation_id))


async def _row(connection: AsyncConnection, tenant_id: int, invitation_id: int) -> Any:
    query = _ENTRIES.where(invitations.c.tenant_id == tenant_id, invitations.c.id == invitation_id, _WAITING)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise Unknown("There is no such invitation; it may have been accepted or revoked.")
    return row


_WAITING = invitations.c.accepted_at.is_(None) & invitations.c.revoked_at.is_(None)
_ENTRIES = select(
    invitations.c.id,
    invitations.c.email,
    invitations.c.role,
    invitations.c.role_id,
    roles.c.name.label("own_role"),
    users.c.name.label("inviter"),
    invitations.c.created_at,
    invitations.c.sent_at,
    invitations.c.expires_at,
).select_from(
    invitations.outerjoin(users, users.c.id == invitations.c.invited_by).outerjoin(
        roles, (roles.c.tenant_id == invitations.c.tenant_id) & (roles.c.id == invitations.c.role_id)
    )
)


def _invitation(row: Any) -> Invitation:
    return Invitation(
        row.id, row.email, row.own_role or row.role, row.inviter, row.created_at, row.sent_at, row.expires_at
    )
