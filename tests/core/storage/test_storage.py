from __future__ import annotations

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chatnation.core.errors import ConfigurationError
from chatnation.core.storage.errors import DatabaseUnavailable
from chatnation.core.storage.storage import Storage, after_commit, raw
from chatnation.core.storage.url import engine_url
from chatnation.testing.servers import plain_url

pytestmark = pytest.mark.anyio


async def test_a_tenant_door_names_its_tenant_for_the_length_of_the_transaction(storage: Storage) -> None:
    setting = text("SELECT current_setting('chatnation.tenant_id', true), current_setting('chatnation.system', true)")
    async with storage.tenant(42) as connection:
        assert (await connection.execute(setting)).one() == ("42", "")
    async with storage.system("look around") as connection:
        assert (await connection.execute(setting)).one() == ("", "look around")


async def test_a_snapshot_shows_one_moment_and_writes_nothing(storage: Storage, tenant_id: int) -> None:
    names = text("SELECT name FROM projects")
    add = text("INSERT INTO projects (tenant_id, slug, name) VALUES (:tenant, 'web', 'Web')")
    async with storage.snapshot(tenant_id, timeout=5) as reading:
        assert list(await reading.scalars(names)) == []
        async with storage.tenant(tenant_id) as connection:
            await connection.execute(add, {"tenant": tenant_id})
        assert list(await reading.scalars(names)) == []
        assert await reading.scalar(text("SHOW statement_timeout")) == "5s"
        with pytest.raises(DBAPIError, match="read-only"):
            await reading.execute(add, {"tenant": tenant_id})
        await reading.rollback()
    async with storage.tenant(tenant_id) as connection:
        assert list(await connection.scalars(names)) == ["Web"]
        assert await connection.scalar(text("SHOW transaction_isolation")) == "read committed"
        assert await connection.scalar(text("SHOW statement_timeout")) == "0"


async def test_a_block_that_raises_leaves_nothing_behind(storage: Storage) -> None:
    with pytest.raises(LookupError):
        async with storage.system("change of mind") as connection:
            await connection.execute(text("INSERT INTO cache_versions (name) VALUES ('x')"))
            raise LookupError
    async with storage.system("look") as connection:
        assert await connection.scalar(text("SELECT count(*) FROM cache_versions")) == 0


async def test_the_raw_connection_works_in_the_same_transaction_and_takes_json_as_bytes(storage: Storage) -> None:
    with pytest.raises(LookupError):
        async with storage.system("raw") as connection:
            asyncpg_connection = await raw(connection)
            assert asyncpg_connection.is_in_transaction()
            assert await asyncpg_connection.fetchval("SELECT $1::jsonb", b'{"a": [1, "\xc3\xa4"]}') == {"a": [1, "ä"]}
            assert await asyncpg_connection.fetchval("SELECT $1::jsonb", "[1]") == [1]
            await asyncpg_connection.execute("INSERT INTO cache_versions (name) VALUES ('x')")
            raise LookupError
    async with storage.system("look") as connection:
        assert await connection.scalar(text("SELECT count(*) FROM cache_versions")) == 0


async def test_a_connection_that_died_in_the_pool_is_replaced_unnoticed(storage: Storage, database: str) -> None:
    async with storage.system("who am I") as connection:
        process = await connection.scalar(text("SELECT pg_backend_pid()"))
    await _kill(database, process)
    async with storage.system("who am I now") as connection:
        assert await connection.scalar(text("SELECT pg_backend_pid()")) != process


async def test_losing_the_database_inside_a_block_is_an_outage(storage: Storage, database: str) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with storage.system("to be killed") as connection:
            await _kill(database, await connection.scalar(text("SELECT pg_backend_pid()")))
            await connection.execute(text("SELECT 1"))
    with pytest.raises(DatabaseUnavailable):
        async with storage.system("to be killed, on the raw connection") as connection:
            asyncpg_connection = await raw(connection)
            await _kill(database, await asyncpg_connection.fetchval("SELECT pg_backend_pid()"))
            await asyncpg_connection.execute("SELECT 1")
    with pytest.raises(DatabaseUnavailable):
        async with storage.system("to be killed before the commit") as connection:
            await _kill(database, await connection.scalar(text("SELECT pg_backend_pid()")))
    async with storage.system("all is well") as connection:
        assert await connection.scalar(text("SELECT 1")) == 1


async def _kill(database: str, process: int | None) -> None:
    connection = await asyncpg.connect(plain_url(database))
    assert await connection.fetchval("SELECT pg_terminate_backend($1, 5000)", process)
    await connection.close()


async def test_a_database_that_is_not_there_is_unavailable() -> None:
    storage = Storage("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(DatabaseUnavailable):
        async with storage.system("knock"):
            pytest.fail("opened a door without a house")
    await storage.dispose()


async def test_an_error_of_the_block_keeps_its_type_even_if_it_looks_like_an_outage(storage: Storage) -> None:
    with pytest.raises(ConnectionResetError):
        async with storage.system("talk to somebody else"):
            raise ConnectionResetError
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with storage.system("a wrong statement") as connection:
            await (await raw(connection)).execute("SELECT 1/0")


async def test_actions_run_after_the_commit_and_only_then(storage: Storage) -> None:
    done: list[str] = []

    async def note() -> None:
        done.append("noted")

    async with storage.system("commit") as connection:
        after_commit(connection, note)
        assert done == []
    assert done == ["noted"]
    with pytest.raises(LookupError):
        async with storage.system("roll back") as connection:
            after_commit(connection, note)
            raise LookupError
    assert done == ["noted"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("postgres://u:p%40@h:5433/d", "postgresql+asyncpg://u:p%40@h:5433/d"),
        ("postgresql://u@h/d?sslmode=require", "postgresql+asyncpg://u@h/d?ssl=require"),
        ("postgresql+asyncpg://c@/d?host=/run/pg&port=5432", "postgresql+asyncpg://c@/d?host=%2Frun%2Fpg&port=5432"),
    ],
)
def test_addresses_are_taken_as_psql_takes_them(given: str, expected: str) -> None:
    assert engine_url(given).render_as_string(hide_password=False) == expected


@pytest.mark.parametrize("given", ["mysql://h/d", "nonsense", ""])
def test_other_addresses_are_refused_in_a_sentence(given: str) -> None:
    with pytest.raises(ConfigurationError, match="database"):
        engine_url(given)
