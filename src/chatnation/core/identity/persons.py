"""What plugins may ask about persons."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.identity import queries
from chatnation.core.identity.queries import PersonView


class Persons(Protocol):
    """Looks persons up, through the caller's connection. Plugins get it with `services.get(Persons)`.

    Tables keep the leaf ids that events carry, never canonical ids, because those change when persons are merged or
    split; whoever reads resolves them.
    """

    async def resolve(self, connection: AsyncConnection, tenant_id: int, leaf_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """The canonical person of each leaf."""
        ...

    async def leaf_ids(self, connection: AsyncConnection, tenant_id: int, person_id: UUID) -> list[UUID]:
        """Every leaf that leads to the person of `person_id`, the canonical one first."""
        ...

    async def traits(self, connection: AsyncConnection, tenant_id: int, person_id: UUID) -> dict[str, Any]:
        """What identify calls said of the person, by key."""
        ...

    async def find(self, connection: AsyncConnection, tenant_id: int, text: str) -> list[UUID]:
        """The persons that `text` is an id of."""
        ...

    async def view(self, connection: AsyncConnection, tenant_id: int, person_id: UUID) -> PersonView | None:
        """Everything that leads to the person and is known of them, or None if nobody was ever seen under it."""
        ...


class StoredPersons:
    """`Persons` over the core's tables."""

    async def resolve(self, connection: AsyncConnection, tenant_id: int, leaf_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        return await queries.resolve(connection, tenant_id, leaf_ids)

    async def leaf_ids(self, connection: AsyncConnection, tenant_id: int, person_id: UUID) -> list[UUID]:
        return await queries.leaf_ids(connection, tenant_id, person_id)

    async def traits(self, connection: AsyncConnection, tenant_id: int, person_id: UUID) -> dict[str, Any]:
        return await queries.traits(connection, tenant_id, person_id)

    async def find(self, connection: AsyncConnection, tenant_id: int, text: str) -> list[UUID]:
        return await queries.find(connection, tenant_id, text)

    async def view(self, connection: AsyncConnection, tenant_id: int, person_id: UUID) -> PersonView | None:
        return await queries.view(connection, tenant_id, person_id)
