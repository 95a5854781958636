"""A tenant as whoever runs it sees and changes it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.names import InvalidName, checked_name
from chatnation.core.auth.organisation_settings import GUARDED, OrganisationSettings, merged
from chatnation.core.auth.refusals import NotAllowed
from chatnation.core.auth.tenancy import Unknown
from chatnation.core.storage.models import tenants

if TYPE_CHECKING:
    from chatnation.core.context import Actor

KEYS = frozenset(field.alias or name for name, field in OrganisationSettings.model_fields.items())


@dataclass(frozen=True, slots=True)
class Organisation:
    """A tenant. `settings` is a JSON object as `OrganisationSettings` describes it, timezone included."""

    slug: str
    name: str
    settings: Mapping[str, Any]


async def find_organisation(connection: AsyncConnection, tenant_id: int) -> Organisation:
    """The tenant. Raises Unknown."""
    return await _read(connection, tenant_id, lock=False)


async def change_organisation(
    connection: AsyncConnection, actor: Actor, *, name: str | None = None, patch: Mapping[str, Any] | None = None
) -> tuple[Organisation, Organisation]:
    """Change the actor's tenant; gives what it was and what it is.

    `patch` is laid over the settings at every depth, None takes a key away; it was checked by `OrganisationSettings`.
    Raises InvalidName; NotAllowed for a key of `GUARDED` whose permission the actor lacks.
    """
    patch = dict(patch or {})
    _check_permitted(actor, patch)
    before = await _read(connection, actor.tenant.id, lock=True)
    if "timezone" in patch and patch["timezone"] is None:
        raise InvalidName("An organisation has a time zone; choose another one.")
    settings = merged(before.settings, patch)
    _check_together(settings)
    after = Organisation(before.slug, checked_name(name) if name is not None else before.name, settings)
    if after != before:
        values = {
            "name": after.name,
            "timezone": settings["timezone"],
            "settings": {key: value for key, value in settings.items() if key != "timezone"},
        }
        await connection.execute(update(tenants).where(tenants.c.id == actor.tenant.id).values(values))
    return before, after


def differences(before: Organisation, after: Organisation) -> dict[str, dict[str, Any]]:
    """What changed, by the path of the setting: `{"session.singleLoginEnforced": {"from": None, "to": True}}`.

    Of the texts of messages only how long they are.
    """
    was = {"name": before.name, **_flat(before.settings)}
    now = {"name": after.name, **_flat(after.settings)}
    return {
        path: {"from": was.get(path), "to": now.get(path)}
        for path in sorted(was.keys() | now.keys())
        if was.get(path) != now.get(path)
    }


async def _read(connection: AsyncConnection, tenant_id: int, *, lock: bool) -> Organisation:
    query = select(tenants.c.slug, tenants.c.name, tenants.c.timezone, tenants.c.settings).where(
        tenants.c.id == tenant_id
    )
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise Unknown("There is no such organisation.")
    return Organisation(row.slug, row.name, {**row.settings, "timezone": row.timezone})


def _check_permitted(actor: Actor, patch: Mapping[str, Any]) -> None:
    for key, permission in GUARDED.items():
        if key in patch and not actor.can(permission):
            raise NotAllowed(f"To change {key} you need the permission {permission}.")


def _check_together(settings: Mapping[str, Any]) -> None:
    rules = settings.get("passwordComplexity") or {}
    shortest, longest = rules.get("minLength"), rules.get("maxLength")
    if isinstance(shortest, int) and isinstance(longest, int) and shortest > longest:
        raise InvalidName("settings.passwordComplexity: minLength is more than maxLength.")


def _flat(settings: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{path}{key}.")
        elif path == "systemMessages." and isinstance(value, str):
            flat[f"{path}{key}"] = f"{len(value)} characters, {hashlib.sha256(value.encode()).hexdigest()[:8]}"
        else:
            flat[f"{path}{key}"] = value
    return flat
