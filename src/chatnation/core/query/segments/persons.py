"""Who the leafs on rows are: merged and split as the evidence stands in the snapshot that a question reads.

Everything here is numbers. A leaf gets one for as long as the process remembers the tenant (`IdNumbers`), and who it
belongs to is an array: at a leaf's number, the number of the leaf that names the person. Such an array is of one state
of the merge log, and never changes; the next one is made of it and of the entries that the log has got since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.query.frame import MISSING, Codes
from chatnation.core.query.segments.id_numbers import IdNumbers
from chatnation.core.query.segments.ids import IdArray, id_array, uuid_of

_VERSIONS_KEPT = 3
_ENTRIES_FOLLOWED = 20_000
"""After more entries of the log than that, all merges are read anew."""


@dataclass(frozen=True, slots=True)
class Merges:
    """Who is who in one state of the log: up to its entry `version`. Leafs with higher numbers are not merged."""

    version: int
    person_of: Codes

    def table(self, leafs: int) -> Codes:
        """The person's number for each of the first `leafs` numbers; at its end, MISSING for MISSING."""
        known = self.person_of[:leafs]
        others = np.arange(len(known), leafs, dtype=np.int32)
        return np.concatenate([known, others, np.array([MISSING], np.int32)])


@dataclass(frozen=True, slots=True)
class PersonNames:
    """Persons by the number of the leaf that names them; numbers of other leafs do not occur as codes."""

    ids: IdArray

    def __len__(self) -> int:
        return len(self.ids)

    def label(self, code: int) -> str:
        return str(uuid_of(self.ids, code))

    def person(self, code: int) -> UUID | None:
        return uuid_of(self.ids, code)


class People:
    """The leafs of one tenant that the process has met, and the latest states of who they are."""

    def __init__(self) -> None:
        self.leafs = IdNumbers()
        self._states: dict[int, Merges] = {}
        self._reading = asyncio.Lock()

    @property
    def nbytes(self) -> int:
        return self.leafs.nbytes + sum(state.person_of.nbytes for state in self._states.values())

    async def merges(self, connection: AsyncConnection, tenant_id: int) -> Merges:
        """Who is who in the snapshot of `connection`."""
        version = await log_version(connection, tenant_id)
        async with self._reading:
            state = self._states.get(version)
            if state is None:
                state = await self._read(connection, tenant_id, version)
                self._states[version] = state
                for old in sorted(self._states)[:-_VERSIONS_KEPT]:
                    if old != version:
                        del self._states[old]
        return state

    async def _read(self, connection: AsyncConnection, tenant_id: int, version: int) -> Merges:
        older = [known for known in self._states if known < version]
        if older:
            state = self._states[max(older)]
            about = {"tenant": tenant_id, "known": state.version, "most": _ENTRIES_FOLLOWED}
            changed = (await connection.execute(_CHANGED, about)).scalars().all()
            if len(changed) <= _ENTRIES_FOLLOWED:
                rows = (await connection.execute(_AROUND, {"tenant": tenant_id, "leafs": changed})).scalar()
                return await asyncio.to_thread(self._follow, state, version, changed, rows or b"")
        rows = (await connection.execute(_ALL, {"tenant": tenant_id})).scalar()
        nobody = Merges(0, np.arange(0, dtype=np.int32))
        return await asyncio.to_thread(self._follow, nobody, version, [], rows or b"")

    def _follow(self, state: Merges, version: int, changed: Sequence[UUID], rows: bytes) -> Merges:
        """The state after `changed` leafs have got the persons of `rows`: leaf and person, 32 bytes a row."""
        pairs = self.leafs.add(id_array((rows,))).reshape(-1, 2)
        left = self.leafs.find(id_array(leaf.bytes for leaf in changed))
        person_of = state.table(len(self.leafs))[:-1]
        left = left[left != MISSING]
        person_of[left] = left
        person_of[pairs[:, 0]] = pairs[:, 1]
        return Merges(version, person_of)


async def log_version(connection: AsyncConnection, tenant_id: int) -> int:
    """The newest entry of the tenant's merge log.

    The log is written under the tenant's identity lock, so its entries become visible in the order of their ids.
    """
    return int((await connection.execute(_VERSION, {"tenant": tenant_id})).scalar() or 0)


_VERSION = text("SELECT max(id) FROM identity_log WHERE tenant_id = :tenant")
_CHANGED = text(
    """
    SELECT DISTINCT leaf_id FROM identity_log l CROSS JOIN LATERAL (
        SELECT l.person_id AS leaf_id
         UNION ALL
        SELECT CAST(leaf AS uuid) FROM jsonb_array_elements_text(l.leaf_ids) AS leaf
    ) AS named
     WHERE l.tenant_id = :tenant AND l.id > :known
     LIMIT :most + 1
    """
)
_AROUND = text(
    """
    SELECT string_agg(uuid_send(leaf_id) || uuid_send(person_id), ''::bytea) FROM (
        SELECT leaf_id, person_id FROM person_merges WHERE tenant_id = :tenant AND leaf_id = ANY (:leafs)
         UNION
        SELECT leaf_id, person_id FROM person_merges WHERE tenant_id = :tenant AND person_id = ANY (:leafs)
    ) AS around
    """
)
_ALL = text(
    """
    SELECT string_agg(uuid_send(leaf_id) || uuid_send(person_id), ''::bytea)
      FROM person_merges WHERE tenant_id = :tenant
    """
)
