"""Commands of `chatnation user` that do what the page People does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import click

from chatnation.core.auth.invitations import Invitation, invite, list_invitations
from chatnation.core.auth.members import change_member_role, reactivate_member
from chatnation.core.auth.permissions import RoleName, Roles
from chatnation.core.auth.resets import make_reset
from chatnation.core.auth.tenancy import Unknown, find_tenant
from chatnation.core.auth.users import find_member
from chatnation.core.cli._context import Instance, as_json, on_instance, operator, tenant_option
from chatnation.core.cli._output import print_json, print_rows
from chatnation.core.context import Actor, Tenant
from chatnation.core.web.links import link


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link that was just made, for the operator to hand on."""

    email: str
    link: str
    expires_at: datetime


@click.command("invite")
@click.argument("email")
@click.option("--role", default=RoleName.AGENT.value, show_default=True, help="Name of any role of the tenant.")
@tenant_option
@as_json
def invite_user(email: str, role: str, tenant: str | None, as_json: bool) -> None:
    """Make a link by which EMAIL becomes a member. It is not mailed; the one before is void."""

    async def work(instance: Instance) -> NewLink:
        async with instance.storage.system("invite somebody") as connection:
            owner = await find_tenant(connection, tenant)
            defaults = _defaults(instance)
            made = await invite(connection, _operator(owner, defaults), defaults, email, role, datetime.now(UTC))
            details = {"email": made.invitation.email, "role": made.invitation.role}
            await instance.record(
                connection, owner, "config.invitation.created", "invitation", made.invitation.id, **details
            )
        address = link(instance.settings, "/invitation", token=made.token)
        return NewLink(made.invitation.email, address, made.invitation.expires_at)

    _print(on_instance(work), as_json=as_json)


@click.command("invitations")
@tenant_option
@as_json
def invitations(tenant: str | None, as_json: bool) -> None:
    """Invitations of a tenant that wait for an answer."""

    async def work(instance: Instance) -> list[Invitation]:
        async with instance.storage.system("list invitations") as connection:
            return await list_invitations(connection, (await find_tenant(connection, tenant)).id)

    columns = ("email", "role", "invited_by", "sent_at", "expires_at")
    print_rows(on_instance(work), columns, as_json=as_json, empty="Nobody is invited.")


@click.command("role")
@click.argument("email")
@click.argument("role")
@tenant_option
def change_role(email: str, role: str, tenant: str | None) -> None:
    """Give EMAIL another ROLE, one of the system's or of the tenant's own."""

    async def work(instance: Instance) -> str:
        async with instance.storage.system("change a role") as connection:
            owner = await find_tenant(connection, tenant)
            member = await find_member(connection, owner.id, email)
            defaults = _defaults(instance)
            before, given = await change_member_role(
                connection, _operator(owner, defaults), defaults, member.user_id, role
            )
            details = {"email": before.email, "from": before.role, "to": given.name}
            await instance.record(connection, owner, "config.member.role_changed", "user", member.user_id, **details)
            return given.name

    click.echo(f"{email} is {on_instance(work)} now.")


@click.command("reactivate")
@click.argument("email")
@tenant_option
def reactivate(email: str, tenant: str | None) -> None:
    """Give EMAIL the access back that `revoke` took."""

    async def work(instance: Instance) -> None:
        async with instance.storage.system("reactivate a member") as connection:
            owner = await find_tenant(connection, tenant)
            member = await find_member(connection, owner.id, email)
            defaults = _defaults(instance)
            await reactivate_member(connection, _operator(owner, defaults), defaults, member.user_id)
            await instance.record(connection, owner, "config.member.reactivated", "user", member.user_id, email=email)

    on_instance(work)
    click.echo(f"{email} is in again.")


@click.command("reset-link")
@click.argument("email")
@tenant_option
@as_json
def reset_link(email: str, tenant: str | None, as_json: bool) -> None:
    """Make a link by which EMAIL sets a new password. It is not mailed; the one before is void."""

    async def work(instance: Instance) -> NewLink:
        now = datetime.now(UTC)
        async with instance.storage.system("a reset link for a member") as connection:
            owner = await find_tenant(connection, tenant)
            member = await find_member(connection, owner.id, email)
            made = await make_reset(connection, member.email, now)
            if made is None:
                raise Unknown(f"{email} could not log in anyhow; see `chatnation user list`.")
            await instance.record(
                connection, owner, "auth.password.reset_requested", "user", member.user_id, email=member.email
            )
        return NewLink(member.email, link(instance.settings, "/reset-password", token=made.token), made.expires_at)

    _print(on_instance(work), as_json=as_json)


COMMANDS = (invite_user, invitations, change_role, reactivate, reset_link)


def _print(made: NewLink, *, as_json: bool) -> None:
    if as_json:
        print_json(made)
    else:
        click.echo(f"For {made.email}, shown this once, good until {made.expires_at:%Y-%m-%d %H:%M} UTC:\n{made.link}")


def _defaults(instance: Instance) -> Roles:
    return Roles(instance.assembly.resources.permissions)


def _operator(tenant: Tenant, defaults: Roles) -> Actor:
    """The operator, who may give every role."""
    return Actor(tenant=tenant, permissions=defaults.known, name=operator(), role=RoleName.SUPER_ADMIN)
