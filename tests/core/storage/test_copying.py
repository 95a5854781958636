"""Rows that we write for COPY ourselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from chatnation.core.processing import event_rows
from chatnation.core.storage.codecs import encode_address, set_codecs
from chatnation.core.storage.copying import Group, RowWriter, Unwritable
from chatnation.core.storage.storage import Storage
from chatnation.testing.servers import SharedServers, plain_url

pytestmark = pytest.mark.anyio


NAME = UUID(int=5)


@dataclass(frozen=True)
class Row:
    """One value of each type."""

    flag: bool | None = True
    address: str | None = "10.0.0.1"
    number: int | None = -7
    document: bytes | None = b'{"a": 1}'
    words: str | None = "Größe\t\\N\n"
    moment: datetime | None = datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    name: UUID | None = NAME


TYPES = {
    "flag": "bool",
    "address": "inet",
    "number": "int4",
    "document": "jsonb",
    "words": "text",
    "moment": "timestamptz",
    "name": "uuid",
}
NAMES = list(TYPES)
LAYOUTS = {
    "alike": [Group(TYPES)],
    "unlike": [Group(TYPES, alike=False)],
    "single": [Group({name: type_}) for name, type_ in TYPES.items()],
}
ROWS = [
    Row(),
    Row(),
    Row(*[None] * len(NAMES)),
    replace(Row(), address="2001:db8::1", moment=datetime(2100, 1, 1, tzinfo=UTC), words="", number=2**31 - 1),
    replace(Row(), address="10.0.0.0/8", flag=False, number=0),
]


@pytest.fixture
async def connection(servers: SharedServers) -> AsyncIterator[asyncpg.Connection[Any]]:
    url = await servers.create_database()
    connection = await asyncpg.connect(plain_url(url))
    await set_codecs(connection)
    columns = ", ".join(f"{name} {type_}" for name, type_ in TYPES.items())
    await connection.execute(f"CREATE TABLE ours ({columns}, place serial); CREATE TABLE theirs (LIKE ours)")
    yield connection
    await connection.close()
    await servers.drop_database(url)


@pytest.mark.parametrize("layout", LAYOUTS)
async def test_rows_arrive_as_the_driver_would_have_written_them(
    connection: asyncpg.Connection[Any], layout: str
) -> None:
    writer = RowWriter(LAYOUTS[layout])
    await writer.copy(connection, "ours", ROWS)
    records = [(*(getattr(row, name) for name in NAMES), place) for place, row in enumerate(ROWS, 1)]
    await connection.copy_records_to_table("theirs", records=records, columns=[*NAMES, "place"])

    ours, theirs = [
        [tuple(row) for row in await connection.fetch(f"SELECT * FROM {table} ORDER BY place")]
        for table in ("ours", "theirs")
    ]
    assert ours == theirs
    assert len(ours) == len(ROWS)


async def test_no_rows_are_a_copy_too(connection: asyncpg.Connection[Any]) -> None:
    await RowWriter(LAYOUTS["alike"]).copy(connection, "ours", [])

    assert await connection.fetchval("SELECT count(*) FROM ours") == 0


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", 2**31),
        ("number", "7"),
        ("words", "\ud800"),
        ("words", 7),
        ("words", ["unhashable"]),
        ("address", "nowhere"),
        ("moment", datetime(2026, 1, 1)),  # noqa: DTZ001
        ("name", "no uuid"),
    ],
)
def test_a_value_that_does_not_suit_its_column_is_refused_as_bad_data(layout: str, name: str, value: object) -> None:
    row = SimpleNamespace(**{**{column: getattr(Row(), column) for column in NAMES}, name: value})

    with pytest.raises(Unwritable):
        RowWriter(LAYOUTS[layout]).write([row])


@pytest.mark.parametrize("address", ["10.0.0.1", "255.255.255.255", "::", "2001:db8::1", "10.1.0.0/16", "fe80::1%eth0"])
async def test_addresses_keep_their_meaning(connection: asyncpg.Connection[Any], address: str) -> None:
    assert len(encode_address(address)) in {8, 20}
    assert await connection.fetchval("SELECT $1::inet = $2::text::inet", address, address.partition("%")[0])


async def test_the_columns_of_events_are_written_as_what_they_are(storage: Storage) -> None:
    async with storage.system("look at the types of columns") as connection:
        rows = await connection.exec_driver_sql(
            "SELECT attname, typname FROM pg_attribute JOIN pg_type"
            " ON pg_type.oid = atttypid WHERE attrelid = 'events'::regclass AND attnum > 0 AND NOT attisdropped"
        )
        types = dict(iter(rows))
    written = {name: type_ for group in event_rows.GROUPS for name, type_ in group.columns.items()}

    assert written == {name: types[name] for name in written}
    assert types.keys() - written.keys() == {"name_hash"}  # The database makes it.
