"""What plugins may ask about persons, and what operators may have them do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.errors import Problem
from chatnation.core.identity import actions, queries, searching
from chatnation.core.identity.queries import Issue, PersonBrief, PersonView
from chatnation.core.identity.searching import Activity


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

    async def search(self, connection: AsyncConnection, tenant_id: int, text: str, limit: int) -> list[UUID]:
        """At most `limit` persons of whom an id, name, e-mail address or number contains `text` (two characters)."""
        ...

    async def activity(
        self, connection: AsyncConnection, tenant_id: int, persons: Sequence[UUID]
    ) -> dict[UUID, Activity]:
        """How many events there are of each of some canonical persons, with the times of the first and the last."""
        ...

    async def view(self, connection: AsyncConnection, tenant_id: int, person_id: UUID) -> PersonView | None:
        """Everything that leads to the person and is known of them, or None if nobody was ever seen under it."""
        ...

    async def briefs(
        self, connection: AsyncConnection, tenant_id: int, persons: Sequence[UUID]
    ) -> dict[UUID, PersonBrief]:
        """The ids and traits of some canonical persons, for lists; without those under whom nobody was ever seen."""
        ...

    async def issues(self, connection: AsyncConnection, tenant_id: int, leaf_ids: Sequence[UUID]) -> list[Issue]:
        """What is to be looked at of a person with these leafs: merges that were refused, ids that look shared."""
        ...

    async def undo_merge(self, connection: AsyncConnection, tenant_id: int, log_id: int, *, by: str) -> None:
        """Split what an entry of the log joined. Raises NotFound, or a 409 where it is split already."""
        ...

    async def undo_split(self, connection: AsyncConnection, tenant_id: int, log_id: int, *, by: str) -> None:
        """Let the evidence count again that a split removed. Raises NotFound."""
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

    async def search(self, connection: AsyncConnection, tenant_id: int, text: str, limit: int) -> list[UUID]:
        return await searching.search(connection, tenant_id, text, limit)

    async def activity(
        self, connection: AsyncConnection, tenant_id: int, persons: Sequence[UUID]
    ) -> dict[UUID, Activity]:
        return await searching.activity(connection, tenant_id, persons)

    async def view(self, connection: AsyncConnection, tenant_id: int, person_id: UUID) -> PersonView | None:
        return await queries.view(connection, tenant_id, person_id)

    async def briefs(
        self, connection: AsyncConnection, tenant_id: int, persons: Sequence[UUID]
    ) -> dict[UUID, PersonBrief]:
        return await queries.briefs(connection, tenant_id, persons)

    async def issues(self, connection: AsyncConnection, tenant_id: int, leaf_ids: Sequence[UUID]) -> list[Issue]:
        return await queries.issues(connection, tenant_id, about=leaf_ids)

    async def undo_merge(self, connection: AsyncConnection, tenant_id: int, log_id: int, *, by: str) -> None:
        try:
            await actions.undo_merge(connection, tenant_id, log_id, by=by)
        except actions.NotJoined:
            raise Problem(409, "not_joined", "These ids are not one person any more.") from None

    async def undo_split(self, connection: AsyncConnection, tenant_id: int, log_id: int, *, by: str) -> None:
        await actions.undo_split(connection, tenant_id, log_id, by=by)
