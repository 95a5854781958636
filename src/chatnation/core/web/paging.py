"""Keyset paging: a page starts after the last row of the one before, so new rows never shift what a reader sees."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, literal, tuple_

from chatnation.core.errors import Problem

T = TypeVar("T")
KeyPart = int | str | float | datetime | UUID


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """Some rows in order, and the cursor of the row after them; `next_cursor` is None at the end."""

    items: list[T]
    next_cursor: str | None


def encode_cursor(key: Sequence[KeyPart]) -> str:
    """The sort key of a row as URL-safe text."""
    return base64.urlsafe_b64encode(msgspec.json.encode([_plain(part) for part in key])).rstrip(b"=").decode()


def decode_cursor(cursor: str, kinds: Sequence[type]) -> tuple[Any, ...]:
    """The sort key that `encode_cursor` wrote, checked against `kinds`; raises a 400 `Problem` on anything else."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return tuple(msgspec.json.decode(raw, type=tuple.__class_getitem__(tuple(kinds))))
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise Problem(400, "invalid_cursor", "We did not give out this cursor; start from the first page.") from None


def after_cursor(
    statement: Select[Any], columns: Sequence[ColumnElement[Any]], cursor: str | None, *, limit: int
) -> Select[Any]:
    """`statement` in descending order of `columns`, from the row after `cursor`, one row more than `limit`.

    The columns together must be unique. The extra row tells `slice_rows` whether there is a next page.
    """
    if cursor:
        key = decode_cursor(cursor, [column.type.python_type for column in columns])
        bound = tuple_(*(literal(part, column.type) for part, column in zip(key, columns, strict=True)))
        statement = statement.where(tuple_(*columns) < bound)
    return statement.order_by(*(column.desc() for column in columns)).limit(limit + 1)


def slice_rows(rows: Sequence[T], limit: int, key: Callable[[T], Sequence[KeyPart]]) -> Slice[T]:
    """The first `limit` of `rows`, and a cursor when there are more; `key` gives a row's sort key."""
    shown = list(rows[:limit])
    return Slice(shown, encode_cursor(key(shown[-1])) if len(rows) > limit and shown else None)


def _plain(part: KeyPart) -> object:
    return part.isoformat() if isinstance(part, datetime) else part
