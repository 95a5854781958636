"""Traits of persons, such as `person.county`: of all that was said of a person's ids, the latest."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.query.frame import MISSING, Codes, Numbers
from chatnation.core.query.segments.column import Column
from chatnation.core.query.segments.id_numbers import IdNumbers
from chatnation.core.query.segments.ids import id_array


@dataclass(frozen=True, slots=True)
class Trait:
    """What was said, the earliest first: of which leaf, and its value (MISSING: null, an object or a list)."""

    leafs: Codes
    column: Column

    @property
    def nbytes(self) -> int:
        return self.leafs.nbytes + self.column.codes.nbytes + 100 * len(self.column.values)

    def by_person(self, person_of: Codes) -> Codes:
        """The code of each person's value, by the person's number; at the end MISSING, for nobody.

        `person_of` has the person's number for each leaf's, and ends with MISSING.
        """
        codes = np.full(len(person_of), MISSING, np.int32)
        # Of several assignments to one place, the last one stays.
        codes[person_of[self.leafs]] = self.column.codes
        return codes

    def coded(self, persons: Codes, person_of: Codes) -> Column:
        """The trait of the person of each row."""
        return Column(self.by_person(person_of)[persons], self.column.values)

    def numbers(self, persons: Codes, person_of: Codes) -> Numbers:
        """The trait of the person of each row as a number."""
        return self.coded(persons, person_of).numbers()


MARKED = "person_traits"
"""Source of the markers that whoever sets a trait writes; their quarter is of no account."""


async def traits_version(connection: AsyncConnection, tenant_id: int) -> Hashable:
    """What differs whenever a trait of a person of the tenant may be another one."""
    return tuple((await connection.execute(_VERSION, {"tenant": tenant_id, "source": MARKED})).one())


async def read_trait(connection: AsyncConnection, tenant_id: int, key: str, leafs: IdNumbers) -> Trait:
    """A trait of all persons of a tenant."""
    row = (await connection.execute(_SAID, {"tenant": tenant_id, "key": key})).one()
    values: Sequence[object] = row.values or []
    scalars = [None if isinstance(value, list | dict) else value for value in values]
    return Trait(leafs.add(id_array((row.leafs or b"",))), Column.of(scalars))


_VERSION = text(
    """
    SELECT count(*), max(id), (SELECT version FROM cache_versions WHERE name = 'identity')
      FROM segment_markers WHERE tenant_id = :tenant AND source = :source
    """
)
# The order is the one in which one value takes the place of another, everywhere.
_SAID = text(
    """
    SELECT string_agg(uuid_send(leaf_id), ''::bytea ORDER BY set_at, value) AS leafs,
           jsonb_agg(value ORDER BY set_at, value) AS values
      FROM person_traits WHERE tenant_id = :tenant AND key = :key
    """
)
