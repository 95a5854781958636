from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from chatnation.core.auth.bootstrap import bootstrap
from chatnation.core.auth.keys import KeyType, find_grant
from chatnation.core.auth.passwords import verify_password
from chatnation.core.storage.storage import Storage

pytestmark = pytest.mark.anyio


async def test_the_first_start_makes_somebody_who_can_log_in_and_a_key_that_works(storage: Storage) -> None:
    made = await bootstrap(storage)
    assert made is not None
    async with storage.system("look") as connection:
        grant = await find_grant(connection, made.write_key)
        by_email = text("SELECT password_hash FROM users WHERE email = :email")
        stored = await connection.scalar(by_email, {"email": made.email})
    assert grant is not None
    assert (grant.type, grant.tenant.slug, grant.project) == (KeyType.WRITE, made.tenant, made.project)
    assert await verify_password(made.password, stored)


async def test_later_starts_make_nothing(storage: Storage) -> None:
    assert await bootstrap(storage)
    assert await bootstrap(storage) is None


async def test_of_many_first_starts_at_once_one_wins(storage: Storage) -> None:
    made = await asyncio.gather(*(bootstrap(storage) for _ in range(4)))
    assert len([first for first in made if first]) == 1
    async with storage.system("count") as connection:
        assert await connection.scalar(text("SELECT count(*) FROM tenants")) == 1
        assert await connection.scalar(text("SELECT count(*) FROM users")) == 1
