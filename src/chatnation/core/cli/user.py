"""`chatnation user`: people who may log in."""

from __future__ import annotations

import asyncio

import click

from chatnation.core.auth.devices import forget_devices
from chatnation.core.auth.logins import close_logins
from chatnation.core.auth.passwords import PasswordRules, hash_password, random_password
from chatnation.core.auth.permissions import RoleName
from chatnation.core.auth.second_factors import remove_factors
from chatnation.core.auth.tenancy import find_tenant
from chatnation.core.auth.users import Member, create_user, find_member, list_members, revoke_membership, set_password
from chatnation.core.cli._context import Instance, Words, as_json, on_instance, tenant_option
from chatnation.core.cli._output import print_json, print_rows
from chatnation.core.cli._people import COMMANDS

password_option = click.option(
    "--password",
    envvar="CHATNATION_PASSWORD",
    help="Better given in the environment; made up and printed if not given.",
)


@click.group()
def user() -> None:
    """Create, invite, list and revoke users, change their roles, sign them out, reset passwords and second factors."""


for command in COMMANDS:
    user.add_command(command)


@user.command()
@click.argument("email")
@click.option("--name", help="How the dashboard calls them; the e-mail address if not given.")
@click.option("--role", type=Words(RoleName), default=RoleName.AGENT, show_default=True, help="What they may do.")
@password_option
@tenant_option
@as_json
def create(
    email: str, name: str | None, role: RoleName, password: str | None, tenant: str | None, as_json: bool
) -> None:
    """Make a user who logs in with EMAIL."""
    chosen, password_hash = _password(password)

    async def work(instance: Instance) -> int:
        async with instance.storage.system("make a user") as connection:
            owner = await find_tenant(connection, tenant)
            made = await create_user(connection, owner.id, email, name or email, role, password_hash)
            await instance.record(connection, owner, "config.member.added", "user", made, email=email, role=str(role))
            return made

    user_id = on_instance(work)
    made_up = {} if password else {"password": chosen}
    if as_json:
        print_json({"id": user_id, "email": email, "role": role, **made_up})
        return
    click.echo(f"Made the {role} {email}." + (f" Password, shown this once: {chosen}" if made_up else ""))


@user.command("list")
@tenant_option
@as_json
def list_all(tenant: str | None, as_json: bool) -> None:
    """Users of a tenant."""

    async def work(instance: Instance) -> list[Member]:
        async with instance.storage.system("list users") as connection:
            return await list_members(connection, (await find_tenant(connection, tenant)).id)

    columns = ("email", "name", "role", "active", "last_login_at")
    print_rows(on_instance(work), columns, as_json=as_json, empty="There is no user yet.")


@user.command()
@click.argument("email")
@password_option
@tenant_option
def password(email: str, password: str | None, tenant: str | None) -> None:
    """Give EMAIL a new password, and log them out everywhere."""
    chosen, password_hash = _password(password)

    async def work(instance: Instance) -> None:
        async with instance.storage.system("reset a password") as connection:
            owner = await find_tenant(connection, tenant)
            member = await find_member(connection, owner.id, email)
            await set_password(connection, member.user_id, password_hash)
            await instance.record(connection, owner, "auth.password.reset", "user", member.user_id, email=email)

    on_instance(work)
    click.echo(f"{email} has a new password." if password else f"Password, shown this once: {chosen}")


@user.command()
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
@tenant_option
def revoke(email: str, yes: bool, tenant: str | None) -> None:
    """Take EMAIL's access to a tenant away, at once. What they did stays."""
    if not yes:
        click.confirm(f"Log {email} out, and keep them out?", abort=True)

    async def work(instance: Instance) -> None:
        async with instance.storage.system("revoke a membership") as connection:
            owner = await find_tenant(connection, tenant)
            member = await find_member(connection, owner.id, email)
            await revoke_membership(connection, owner.id, member)
            await instance.record(connection, owner, "config.member.deactivated", "user", member.user_id, email=email)

    on_instance(work)
    click.echo(f"{email} is out.")


@user.command("sign-out")
@click.argument("email")
@tenant_option
def sign_out(email: str, tenant: str | None) -> None:
    """Close every login of EMAIL, and ask for the second factor in every browser again."""

    async def work(instance: Instance) -> int:
        async with instance.storage.system("logins of a user") as connection:
            owner = await find_tenant(connection, tenant)
            member = await find_member(connection, owner.id, email)
            await instance.record(connection, owner, "auth.logins.revoked", "user", member.user_id, email=email)
            await forget_devices(connection, member.user_id)
            return await close_logins(connection, member.user_id)

    click.echo(f"{email} is signed out; {on_instance(work)} logins were open.")


@user.command("reset-factors")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
@tenant_option
def reset_factors(email: str, yes: bool, tenant: str | None) -> None:
    """Take the second factors of EMAIL away, for who lost them and the recovery codes. Make sure who asks you."""
    if not yes:
        click.confirm(f"Let {email} in with a password alone, until they set a second factor up?", abort=True)

    async def work(instance: Instance) -> int:
        async with instance.storage.system("second factors of a user") as connection:
            owner = await find_tenant(connection, tenant)
            member = await find_member(connection, owner.id, email)
            await instance.record(connection, owner, "auth.second_factor.reset", "user", member.user_id, email=email)
            await forget_devices(connection, member.user_id)
            await close_logins(connection, member.user_id)
            return await remove_factors(connection, member.user_id)

    click.echo(f"{on_instance(work)} second factors of {email} are taken away; they are signed out.")


def _password(given: str | None) -> tuple[str, str]:
    """A good password, given or made up, and what is stored of it."""
    if given:
        PasswordRules().check(given)
    password = given or random_password()
    return password, asyncio.run(hash_password(password))
