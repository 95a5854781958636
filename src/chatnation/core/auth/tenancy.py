"""Tenants and their projects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.names import InvalidName, checked_name, checked_slug, checked_timezone, slug_from
from chatnation.core.auth.origins import checked_origin
from chatnation.core.context import Tenant
from chatnation.core.errors import ChatnationError
from chatnation.core.storage.models import projects, tenants

DEFAULT_TIMEZONE = "Africa/Nairobi"
_LONGEST_PROPERTY = 200


class IpMode(StrEnum):
    """What becomes of a visitor's address: kept (`off`), its last part cut (`mask`), used for the location and then
    dropped, or never looked at."""

    OFF = "off"
    MASK = "mask"
    DROP_AFTER_GEO = "drop_after_geo"
    NEVER = "never"


class MaskingRule(StrEnum):
    """What becomes of a property on intake: left out, made unreadable, or replaced by a hash that can be counted."""

    DROP = "drop"
    MASK = "mask"
    HASH = "hash"


class NameTaken(ChatnationError):
    """Something of that name exists already."""


class Unknown(ChatnationError):
    """Nothing of that name exists. The text says what was looked for."""


@dataclass(frozen=True, slots=True)
class Project:
    """A source of events inside a tenant."""

    id: int
    tenant_id: int
    slug: str
    name: str
    allowed_origins: tuple[str, ...]
    ip_mode: IpMode
    masking: Mapping[str, MaskingRule]
    settings: Mapping[str, Any]
    created_at: datetime


async def create_tenant(
    connection: AsyncConnection, name: str, *, slug: str | None = None, timezone: str = DEFAULT_TIMEZONE
) -> Tenant:
    """Make a tenant; its handle is made from the name unless given. Raises NameTaken, InvalidName."""
    name = checked_name(name)
    slug = checked_slug(slug) if slug else slug_from(name)
    values = {"slug": slug, "name": name, "timezone": checked_timezone(timezone)}
    try:
        async with connection.begin_nested():
            tenant_id = await connection.scalar(insert(tenants).values(values).returning(tenants.c.id))
    except IntegrityError:
        raise NameTaken(f"There is a tenant {slug} already.") from None
    assert tenant_id is not None
    return Tenant(id=tenant_id, **values)


async def list_tenants(connection: AsyncConnection) -> list[Tenant]:
    """Every tenant, by handle."""
    rows = await connection.execute(
        select(tenants.c.id, tenants.c.slug, tenants.c.name, tenants.c.timezone).order_by(tenants.c.slug)
    )
    return [Tenant(*row) for row in rows]


async def find_tenant(connection: AsyncConnection, slug: str | None = None) -> Tenant:
    """The tenant of that handle; without one, the only tenant there is. Raises Unknown."""
    found = await list_tenants(connection)
    if slug is None:
        if len(found) == 1:
            return found[0]
        known = ", ".join(tenant.slug for tenant in found)
        raise Unknown(f"There is more than one tenant; say which: {known}." if found else "There is no tenant yet.")
    for tenant in found:
        if tenant.slug == slug:
            return tenant
    raise Unknown(f"There is no tenant {slug}.")


async def change_tenant(
    connection: AsyncConnection, tenant_id: int, *, name: str | None = None, timezone: str | None = None
) -> None:
    """Change what is given."""
    values = {
        "name": checked_name(name) if name is not None else None,
        "timezone": checked_timezone(timezone) if timezone is not None else None,
    }
    values = {column: value for column, value in values.items() if value is not None}
    if values:
        await connection.execute(update(tenants).where(tenants.c.id == tenant_id).values(values))


async def create_project(
    connection: AsyncConnection,
    tenant_id: int,
    name: str,
    *,
    slug: str | None = None,
    allowed_origins: Sequence[str] = ("*",),
    ip_mode: IpMode = IpMode.MASK,
) -> Project:
    """Make a project; its handle is made from the name unless given. Raises NameTaken, InvalidName."""
    name = checked_name(name)
    slug = checked_slug(slug) if slug else slug_from(name)
    values = {
        "tenant_id": tenant_id,
        "slug": slug,
        "name": name,
        "allowed_origins": [checked_origin(origin) for origin in allowed_origins],
        "ip_mode": str(ip_mode),
    }
    try:
        async with connection.begin_nested():
            row = (await connection.execute(insert(projects).values(values).returning(*projects.c))).one()
    except IntegrityError:
        raise NameTaken(f"There is a project {slug} already.") from None
    return _project(row._mapping)


async def list_projects(connection: AsyncConnection, tenant_id: int) -> list[Project]:
    """The tenant's projects, by handle."""
    query = select(projects).where(projects.c.tenant_id == tenant_id).order_by(projects.c.slug)
    return [_project(row) for row in (await connection.execute(query)).mappings()]


async def find_project(connection: AsyncConnection, tenant_id: int, slug: str | None = None) -> Project:
    """The tenant's project of that handle; without one, its only project. Raises Unknown."""
    found = await list_projects(connection, tenant_id)
    if slug is None:
        if len(found) == 1:
            return found[0]
        known = ", ".join(project.slug for project in found)
        raise Unknown(f"There is more than one project; say which: {known}." if found else "There is no project yet.")
    for project in found:
        if project.slug == slug:
            return project
    raise Unknown(f"There is no project {slug}.")


async def change_project(
    connection: AsyncConnection,
    project: Project,
    *,
    name: str | None = None,
    allowed_origins: Sequence[str] | None = None,
    ip_mode: IpMode | None = None,
    masking: Mapping[str, MaskingRule | None] | None = None,
) -> Project:
    """Change what is given; collectors follow within a second.

    `allowed_origins` replaces the list. `masking` is merged into the rules by property, and None takes a rule away.
    """
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = checked_name(name)
    if allowed_origins is not None:
        if not allowed_origins:
            raise InvalidName("A project without allowed origins would take no events from browsers; allow * for all.")
        values["allowed_origins"] = [checked_origin(origin) for origin in allowed_origins]
    if ip_mode is not None:
        values["ip_mode"] = str(ip_mode)
    if masking is not None:
        merged = {**project.masking, **{_checked_property(name): rule for name, rule in masking.items()}}
        values["masking"] = {name: str(rule) for name, rule in merged.items() if rule is not None}
    if not values:
        return project
    query = (
        update(projects)
        .where(projects.c.tenant_id == project.tenant_id, projects.c.id == project.id)
        .values(values)
        .returning(*projects.c)
    )
    return _project((await connection.execute(query)).one()._mapping)


def _checked_property(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= _LONGEST_PROPERTY or not name.isprintable() or not all(name.split(".")):
        raise InvalidName(f"“{name[:50]}” is no name of a property; they look like pin, or address.street.")
    return name


def _project(row: Mapping[Any, Any]) -> Project:
    return Project(
        id=row["id"],
        tenant_id=row["tenant_id"],
        slug=row["slug"],
        name=row["name"],
        allowed_origins=tuple(row["allowed_origins"]),
        ip_mode=IpMode(row["ip_mode"]),
        masking={name: MaskingRule(rule) for name, rule in row["masking"].items()},
        settings=row["settings"],
        created_at=row["created_at"],
    )
