"""Seals everything that is stored sealed with the first key of the vault."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.sealed_columns import SealedColumn
from chatnation.core.storage.storage import Storage
from chatnation.core.vault import CannotOpen, Vault, key_of

_AT_ONCE = 500
UNREADABLE = "(unreadable)"


@dataclass(slots=True)
class SealedState:
    """What one column holds: how many texts by the id of their key, and the rows whose text does not open."""

    column: str
    by_key: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


Progress = Callable[[str, int], None]
"""Hears the label of a column, and how many rows more are done."""


def _silent(label: str, rows: int) -> None:
    return


async def present(connection: AsyncConnection, columns: Sequence[SealedColumn]) -> list[SealedColumn]:
    """Those of `columns` whose tables are there: a plugin's may not have been made yet."""
    found = []
    for column in columns:
        name = column.table if "." in column.table else f"public.{column.table}"
        if await connection.scalar(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": name}):
            found.append(column)
    return found


async def inspect(
    storage: Storage, vault: Vault, columns: Sequence[SealedColumn], progress: Progress = _silent
) -> list[SealedState]:
    """Open everything once; tells what does not open, without a word of what does."""
    states = []
    for column in columns:
        state = SealedState(column.label)
        async for rows in _pages(storage, column):
            for key, sealed in rows:
                context = column.context_of(key)
                try:
                    vault.open(sealed, context)
                    state.by_key[key_of(sealed)] += 1
                except CannotOpen:
                    state.by_key[_key_or_none(sealed)] += 1
                    state.broken.append(context)
            progress(column.label, len(rows))
        states.append(state)
    return states


async def rotate(
    storage: Storage, vault: Vault, columns: Sequence[SealedColumn], progress: Progress = _silent
) -> list[SealedState]:
    """Seal with the first key whatever another key sealed, some rows a transaction.

    It can be stopped at any time and started again: what is done stays done. A row that somebody writes meanwhile is
    waited for. What does not open is left as it is, and told; `by_key` counts what is sealed by which key afterwards.
    """
    states = []
    for column in columns:
        state = SealedState(column.label)
        after: tuple[object, ...] | None = None
        while True:
            async with storage.system("seal secrets with another key") as connection:
                rows = (await connection.execute(_page(column, after, lock=True), _given(after))).all()
                for *key, sealed in rows:
                    await _seal_again(connection, vault, column, tuple(key), sealed, state)
            if not rows:
                break
            after = tuple(rows[-1][:-1])
            progress(column.label, len(rows))
        states.append(state)
    return states


async def _seal_again(
    connection: AsyncConnection,
    vault: Vault,
    column: SealedColumn,
    key: tuple[object, ...],
    sealed: str,
    state: SealedState,
) -> None:
    context = column.context_of(key)
    try:
        if key_of(sealed) != vault.sealing_key:
            fresh = vault.seal(vault.open(sealed, context), context)
            where = " AND ".join(f"{name} = :k{place}" for place, name in enumerate(column.keys))
            statement = text(f"UPDATE {column.table} SET {column.column} = :fresh WHERE {where}")
            await connection.execute(statement, {"fresh": fresh, **_given(key)})
    except CannotOpen:
        state.broken.append(context)
        state.by_key[_key_or_none(sealed)] += 1
    else:
        state.by_key[vault.sealing_key] += 1


async def _pages(storage: Storage, column: SealedColumn) -> AsyncIterator[list[tuple[tuple[object, ...], str]]]:
    after: tuple[object, ...] | None = None
    while True:
        async with storage.system("look at what is sealed") as connection:
            rows = (await connection.execute(_page(column, after, lock=False), _given(after))).all()
        if not rows:
            return
        yield [(tuple(key), sealed) for *key, sealed in rows]
        after = tuple(rows[-1][:-1])


def _page(column: SealedColumn, after: tuple[object, ...] | None, *, lock: bool) -> TextClause:
    keys = ", ".join(column.keys)
    beyond = ", ".join(f":k{place}" for place in range(len(column.keys)))
    return text(
        f"SELECT {keys}, {column.column} FROM {column.table} WHERE {column.column} IS NOT NULL"
        + (f" AND ({keys}) > ({beyond})" if after is not None else "")
        + f" ORDER BY {keys} LIMIT {_AT_ONCE}"
        + (" FOR UPDATE" if lock else "")
    )


def _given(values: tuple[object, ...] | None) -> dict[str, object]:
    return {f"k{place}": value for place, value in enumerate(values or ())}


def _key_or_none(sealed: str) -> str:
    try:
        return key_of(sealed)
    except CannotOpen:
        return UNREADABLE
