"""Cursors, and pages that do not shift."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, DateTime, Integer, MetaData, Table, select

from chatnation import Problem, after_cursor, decode_cursor, slice_rows
from chatnation.core.web.paging import encode_cursor
from chatnation.testing.apps import MakeApp
from tests.core.web.shop import Shop

instants = st.datetimes(timezones=st.just(UTC))


@given(instants, st.uuids(), st.integers(-(2**63), 2**63 - 1), st.text())
def test_a_cursor_gives_back_its_key(at: datetime, id_: UUID, number: int, text: str) -> None:
    assert decode_cursor(encode_cursor((at, id_, number, text)), (datetime, UUID, int, str)) == (at, id_, number, text)


@given(st.text())
def test_text_that_is_no_cursor_is_a_400(text: str) -> None:
    with pytest.raises(Problem) as caught:
        decode_cursor(text, (datetime, UUID))
    assert (caught.value.status, caught.value.code) == (400, "invalid_cursor")


def test_a_cursor_of_another_list_is_a_400() -> None:
    with pytest.raises(Problem):
        decode_cursor(encode_cursor((1, 2)), (datetime, UUID))


table = Table(
    "pages_of_a_test", MetaData(), Column("at", DateTime(timezone=True)), Column("id", Integer, primary_key=True)
)


async def test_pages_hold_every_row_once_even_when_rows_are_added_in_between(make_app: MakeApp) -> None:
    app = await make_app(Shop)
    noon = datetime(2025, 6, 1, 12, tzinfo=UTC)
    rows = [{"at": noon + timedelta(minutes=number // 3), "id": number} for number in range(25)]
    async with app.app.storage.system("paging in a test") as connection:
        await connection.run_sync(table.create)
        await connection.execute(table.insert(), rows)
        seen: list[int] = []
        cursor: str | None = None
        for page in range(5):
            statement = after_cursor(select(table), (table.c.at, table.c.id), cursor, limit=6)
            found = (await connection.execute(statement)).all()
            part = slice_rows(found, 6, lambda row: (row.at, row.id))
            seen += [row.id for row in part.items]
            cursor = part.next_cursor
            await connection.execute(table.insert(), {"at": noon + timedelta(days=1), "id": 100 + page})
        assert cursor is None
    assert seen == list(range(24, -1, -1))
