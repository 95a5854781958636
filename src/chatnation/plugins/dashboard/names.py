"""What those are called whom pages tell of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from chatnation import Persons
from chatnation.plugins.dashboard.view import View

SEE_PERSONS = "persons.view"
LONGEST = 100


async def person_names(view: View[Any], person_ids: Iterable[UUID | None]) -> Mapping[UUID, str]:
    """What persons are called, as far as that is known, for whoever may know."""
    if not view.actor.can(SEE_PERSONS):
        return {}
    persons, tenant_id = view.app.services.get(Persons), view.tenant.id
    names: dict[UUID, str] = {}
    async with view.app.storage.tenant(tenant_id) as connection:
        for person_id in dict.fromkeys(person_ids):
            name = (await persons.traits(connection, tenant_id, person_id)).get("name") if person_id else None
            if person_id and isinstance(name, str) and name.strip():
                names[person_id] = name.strip()[:LONGEST]
    return names
