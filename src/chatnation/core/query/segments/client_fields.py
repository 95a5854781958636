"""Device, system, browser and SDK of events: what is known of the client that each came from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.query.frame import MISSING, Codes
from chatnation.core.query.segments.column import Column, Values

CLIENT = "client_id"
"""The part of a chunk that says which client each event came from."""
CLIENT_FIELDS = ("device_type", "os_name", "browser_name", "sdk_name")

_REMEMBERED = 200_000


@dataclass(frozen=True, slots=True)
class ClientFields:
    """What is known of some clients: `ids` ascending, and a column of each field with a row for each of them."""

    ids: NDArray[np.int64]
    columns: dict[str, Column]

    def places(self, ids: Values) -> Codes:
        """Where the clients are, and at the end MISSING, for events without one."""
        wanted = np.asarray(ids, np.int64)
        found = np.searchsorted(self.ids, wanted)
        return np.append(found, MISSING).astype(np.int32)

    def table(self, name: str, ids: Values) -> Codes:
        """Codes of the values that a field has for clients, by their places in `ids`; at the end MISSING."""
        return np.append(self.columns[name].codes, np.int32(MISSING))[self.places(ids)]


class Clients:
    """Reads clients, and remembers those of which everything is known, for such rows never change."""

    def __init__(self) -> None:
        self._known: dict[int, Sequence[str | None]] = {}

    async def read(self, connection: AsyncConnection, ids: Collection[int]) -> ClientFields:
        """The fields of these clients."""
        found = {number: row for number in ids if (row := self._known.get(number)) is not None}
        unknown = [number for number in ids if number not in found]
        if unknown:
            rows = await connection.execute(_READ, {"ids": unknown})
            read: dict[int, Sequence[str | None]] = {row[0]: tuple(row[1:]) for row in rows}
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            self._known |= {number: row for number, row in read.items() if row[0] is not None}
            found |= read
        ordered = sorted(ids)
        nothing = (None,) * len(CLIENT_FIELDS)
        columns = zip(*(found.get(number, nothing) for number in ordered), strict=True) if ordered else ()
        return ClientFields(
            np.array(ordered, np.int64),
            {name: Column.of(values) for name, values in zip(CLIENT_FIELDS, columns, strict=bool(ordered))}
            or {name: Column.missing(0) for name in CLIENT_FIELDS},
        )


_READ = text(f"SELECT id, {', '.join(CLIENT_FIELDS)} FROM clients WHERE id = ANY (:ids)")
