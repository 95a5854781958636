"""Single sign-on of a tenant: its issuer, and which user an identity of the issuer stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Text, cast, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.names import InvalidName, checked_name
from chatnation.core.auth.openid import Client, Identity
from chatnation.core.auth.permissions import RoleName
from chatnation.core.auth.users import create_user
from chatnation.core.errors import ChatnationError
from chatnation.core.storage.models import memberships, sso_identities, sso_providers, tenants, users
from chatnation.core.vault import Vault

_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_CLAIM = re.compile(r"[A-Za-z0-9_:/.-]{1,200}")
MOST_DOMAINS = 50


class NotAdmitted(ChatnationError):
    """The issuer is sure who it is, but they do not get in. The text is for the person who tried."""


@dataclass(frozen=True, slots=True)
class Provider:
    """The issuer of a tenant. See `core.storage.models.sso`; `has_secret` instead of the secret."""

    id: int
    tenant_id: int
    tenant: str
    label: str
    issuer: str
    client_id: str
    has_secret: bool
    domains: tuple[str, ...]
    enabled: bool
    enforced: bool
    makes_members: bool
    role: RoleName
    role_claim: str | None
    role_map: Mapping[str, str]
    vouches: bool


@dataclass(frozen=True, slots=True)
class WantedProvider:
    """What a tenant wants of single sign-on. `secret` None keeps the one that is stored."""

    label: str
    issuer: str
    client_id: str
    secret: str | None = field(repr=False)
    domains: Sequence[str]
    enabled: bool = True
    enforced: bool = False
    makes_members: bool = False
    role: str = RoleName.AGENT
    role_claim: str | None = None
    role_map: Mapping[str, str] = field(default_factory=dict)
    vouches: bool = False


@dataclass(frozen=True, slots=True)
class Admission:
    """The user that an identity stands for; `linked`: since now. `made`: they were made a member just now."""

    user_id: int
    linked: bool = False
    made: bool = False


async def provider_of(connection: AsyncConnection, tenant_id: int) -> Provider | None:
    """The issuer of a tenant, switched on or not."""
    row = (await connection.execute(_PROVIDERS.where(sso_providers.c.tenant_id == tenant_id))).one_or_none()
    return _provider(row) if row else None


async def find_provider(connection: AsyncConnection, tenant: str) -> Provider | None:
    """The issuer of the tenant with this handle, if it is switched on. Needs the system door."""
    query = _PROVIDERS.where(tenants.c.slug == tenant, sso_providers.c.enabled)
    row = (await connection.execute(query)).one_or_none()
    return _provider(row) if row else None


async def provider_for_address(connection: AsyncConnection, email: str) -> Provider | None:
    """The issuer that speaks for the domain of an e-mail address. Needs the system door."""
    domain = email.strip().lower().rpartition("@")[2]
    query = _PROVIDERS.where(sso_providers.c.domains.contains(cast([domain], ARRAY(Text))), sso_providers.c.enabled)
    row = (await connection.execute(query.limit(1))).one_or_none()
    return _provider(row) if row else None


async def any_provider(connection: AsyncConnection) -> bool:
    """Whether anybody can sign in this way. Needs the system door."""
    return bool(await connection.scalar(select(select(sso_providers.c.id).where(sso_providers.c.enabled).exists())))


def client_of(provider: Provider, sealed_secret: str | None, vault: Vault) -> Client:
    """What the issuer knows us as, with the secret opened."""
    secret = vault.open(sealed_secret, _context(provider.id)).decode() if sealed_secret else None
    return Client(provider.issuer, provider.client_id, secret)


async def read_client(connection: AsyncConnection, provider: Provider, vault: Vault) -> Client:
    """As `client_of`, with the secret read from the database."""
    sealed = await connection.scalar(select(sso_providers.c.sealed_secret).where(sso_providers.c.id == provider.id))
    return client_of(provider, sealed, vault)


async def store_provider(connection: AsyncConnection, tenant_id: int, wanted: WantedProvider, vault: Vault) -> Provider:
    """Set up or change the issuer of a tenant. Needs the system door, to see the domains of others.

    Raises InvalidName. A stored secret is not sent to another issuer: whoever changes it has to give the secret again.
    """
    values = _checked(wanted)
    await _check_domains(connection, tenant_id, values["domains"])
    before = await provider_of(connection, tenant_id)
    elsewhere = before is not None and (before.issuer, before.client_id) != (values["issuer"], values["client_id"])
    if before is not None and before.has_secret and wanted.secret is None and elsewhere:
        raise InvalidName("Give the client secret again: a stored one is not sent to another issuer.")
    if before is None:
        query = insert(sso_providers).values(tenant_id=tenant_id, **values).returning(sso_providers.c.id)
        provider_id = await connection.scalar(query)
    else:
        provider_id = before.id
        if (
            before.issuer != values["issuer"]
        ):  # What the old issuer called somebody, the new one may call somebody else.
            await connection.execute(delete(sso_identities).where(sso_identities.c.provider_id == before.id))
        await connection.execute(update(sso_providers).where(sso_providers.c.id == provider_id).values(**values))
    assert provider_id is not None
    if wanted.secret is not None:
        sealed = vault.seal(wanted.secret.encode(), _context(provider_id)) if wanted.secret else None
        await connection.execute(
            update(sso_providers).where(sso_providers.c.id == provider_id).values(sealed_secret=sealed)
        )
    stored = await provider_of(connection, tenant_id)
    assert stored is not None
    return stored


async def remove_provider(connection: AsyncConnection, tenant_id: int) -> bool:
    """Forget the issuer of a tenant and who was linked; False if there was none. Users stay."""
    gone = await connection.execute(delete(sso_providers).where(sso_providers.c.tenant_id == tenant_id))
    return gone.rowcount > 0


async def must_sign_on(connection: AsyncConnection, tenant_id: int, user_id: int) -> bool:
    """Whether a member may come in by the tenant's issuer only.

    Super admins may always come by password, or an issuer that is away would lock everybody out.
    """
    columns = sso_providers.c
    query = (
        select(columns.id)
        .select_from(sso_providers.join(memberships, memberships.c.tenant_id == columns.tenant_id))
        .where(columns.tenant_id == tenant_id, columns.enabled, columns.enforced)
        .where(memberships.c.user_id == user_id, memberships.c.role != str(RoleName.SUPER_ADMIN))
    )
    return await connection.scalar(query) is not None


async def admit(connection: AsyncConnection, provider: Provider, identity: Identity) -> Admission:
    """The user that an identity stands for, made or linked where the tenant wants that. Needs the system door.

    An issuer belongs to a tenant, so it must not open what belongs to others: it is believed only about addresses of
    its own domains that it has verified, and it is linked to a user only who belongs to no other tenant.
    Raises NotAdmitted.
    """
    known = sso_identities.c
    this = (known.provider_id == provider.id) & (known.subject == identity.subject)
    user_id = await connection.scalar(select(known.user_id).where(this))
    if user_id is not None:
        await _check_homes(connection, provider, user_id)
        await connection.execute(update(sso_identities).where(this).values(last_used_at=func.now()))
        return Admission(user_id)
    email = identity.email
    if email is None or email.rpartition("@")[2] not in provider.domains:
        raise NotAdmitted("The issuer does not vouch for an e-mail address of a domain that it may speak for.")
    user_id = await connection.scalar(select(users.c.id).where(func.lower(users.c.email) == email))
    made = False
    if user_id is None:
        if not provider.makes_members:
            raise NotAdmitted("Nobody has invited you yet. Ask an administrator.")
        role = role_of(provider, identity.claims)
        user_id = await create_user(connection, provider.tenant_id, email, _name(identity, email), role, None)
        made = True
    else:
        await _check_homes(connection, provider, user_id)
        made = await _make_member(connection, provider, identity, user_id)
    link = {"tenant_id": provider.tenant_id, "provider_id": provider.id, "user_id": user_id}
    await connection.execute(insert(sso_identities).values(**link, subject=identity.subject, last_used_at=func.now()))
    return Admission(user_id, linked=True, made=made)


def role_of(provider: Provider, claims: Mapping[str, Any]) -> RoleName:
    """The role of a new member: the first in the tenant's map whose value the claim holds, else the default."""
    held = _values_at(claims, provider.role_claim) if provider.role_claim else set()
    for value, role in provider.role_map.items():
        if value in held:
            return RoleName(role)
    return provider.role


async def _make_member(connection: AsyncConnection, provider: Provider, identity: Identity, user_id: int) -> bool:
    of_user = (memberships.c.tenant_id == provider.tenant_id) & (memberships.c.user_id == user_id)
    if await connection.scalar(select(memberships.c.user_id).where(of_user)) is not None:
        return False
    if not provider.makes_members:
        raise NotAdmitted("Nobody has invited you yet. Ask an administrator.")
    role = role_of(provider, identity.claims)
    await connection.execute(insert(memberships).values(tenant_id=provider.tenant_id, user_id=user_id, role=str(role)))
    return True


async def _check_homes(connection: AsyncConnection, provider: Provider, user_id: int) -> None:
    elsewhere = select(memberships.c.user_id).where(
        memberships.c.user_id == user_id, memberships.c.tenant_id != provider.tenant_id, memberships.c.active
    )
    if await connection.scalar(elsewhere.limit(1)) is not None:
        raise NotAdmitted("You belong to other organisations too. Sign in with your password.")


async def _check_domains(connection: AsyncConnection, tenant_id: int, domains: Sequence[str]) -> None:
    columns = sso_providers.c
    common = columns.domains.overlap(cast(domains, ARRAY(Text)))
    taken = select(columns.id).where(columns.tenant_id != tenant_id, common)
    if domains and await connection.scalar(taken.limit(1)) is not None:
        raise InvalidName("Another organisation on this instance signs on with one of these domains.")


def _checked(wanted: WantedProvider) -> dict[str, Any]:
    domains = sorted({domain.strip().lower().removeprefix("@") for domain in wanted.domains if domain.strip()})
    if not domains or len(domains) > MOST_DOMAINS or not all(_DOMAIN.fullmatch(domain) for domain in domains):
        raise InvalidName("Give the domains of your e-mail addresses, such as example.org.")
    if not wanted.issuer.strip() or not wanted.client_id.strip():
        raise InvalidName("Give the issuer and the client id.")
    if wanted.role_claim and not _CLAIM.fullmatch(wanted.role_claim):
        raise InvalidName("This is no name of a claim.")
    return {
        "label": checked_name(wanted.label),
        "issuer": wanted.issuer.strip(),
        "client_id": wanted.client_id.strip(),
        "domains": domains,
        "enabled": wanted.enabled,
        "enforced": wanted.enforced,
        "makes_members": wanted.makes_members,
        "role": _role(wanted.role),
        "role_claim": wanted.role_claim or None,
        "role_map": {str(value): _role(role) for value, role in wanted.role_map.items()},
        "vouches": wanted.vouches,
    }


def _role(name: str) -> str:
    try:
        role = RoleName(name)
    except ValueError:
        raise InvalidName(f"There is no role {name[:50]}.") from None
    if role is RoleName.SUPER_ADMIN:
        raise InvalidName("An issuer cannot make anybody a super admin; do that under People.")
    return str(role)


def _values_at(claims: Mapping[str, Any], path: str) -> set[str]:
    value: Any = claims.get(path)
    if value is None:
        value = claims
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    values = value if isinstance(value, list) else [value]
    return {str(entry) for entry in values if isinstance(entry, str | int | bool)}


def _name(identity: Identity, email: str) -> str:
    try:
        return checked_name(identity.name)
    except InvalidName:
        return email


def _context(provider_id: int) -> str:
    return f"sso_providers:{provider_id}"


_PROVIDERS = select(
    sso_providers.c.id,
    sso_providers.c.tenant_id,
    tenants.c.slug.label("tenant"),
    sso_providers.c.label,
    sso_providers.c.issuer,
    sso_providers.c.client_id,
    sso_providers.c.sealed_secret.is_not(None).label("has_secret"),
    sso_providers.c.domains,
    sso_providers.c.enabled,
    sso_providers.c.enforced,
    sso_providers.c.makes_members,
    sso_providers.c.role,
    sso_providers.c.role_claim,
    sso_providers.c.role_map,
    sso_providers.c.vouches,
).select_from(sso_providers.join(tenants, tenants.c.id == sso_providers.c.tenant_id))


def _provider(row: Row[Any]) -> Provider:
    given = row._asdict()
    return Provider(**{**given, "domains": tuple(given["domains"]), "role": RoleName(given["role"])})
