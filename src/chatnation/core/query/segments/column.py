"""Columns of values: small numbers for rows, and the texts or numbers that they stand for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.evaluate.conditions import number_of
from chatnation.core.query.frame import MISSING, Coded, Codes, Mask, Numbers, Rows
from chatnation.core.query.segments.ids import compacted, recoded

Values = list[str] | NDArray[np.int64] | NDArray[np.float64]
"""Texts; or, where the text of each is how Python writes it, whole numbers or others."""

_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Column:
    """Row i has the value `values[codes[i]]`, or none where the code is MISSING. Values are unique as texts."""

    codes: Codes
    values: Values

    @classmethod
    def of(cls, values: Sequence[Any]) -> Column:
        """Of JSON scalars, one a row; None is no value."""
        kinds = set(map(type, values))
        if kinds <= {str, type(None)}:
            return _of_hashables(values)
        if kinds == {bool}:
            return cls.flags(np.array(values, np.bool_))
        if kinds == {int} and _fits(values):
            return _of_numbers(np.array(values, np.int64))
        if kinds == {float}:
            return _of_numbers(np.array(values, np.float64))
        if type(None) not in kinds:
            return _of_hashables([text_of_json(value) for value in values])
        rows = [row for row, value in enumerate(values) if value is not None]
        return cls.of([values[row] for row in rows]).spread(np.array(rows, np.intp), len(values))

    @classmethod
    def missing(cls, size: int) -> Column:
        """So many rows without a value."""
        return cls(np.full(size, MISSING, np.int32), [])

    @classmethod
    def flags(cls, flags: Mask) -> Column:
        """Of `true` and `false`."""
        return cls(flags.astype(np.int32), ["false", "true"])

    def spread(self, rows: Rows | Mask, size: int) -> Column:
        """A column of `size` rows, in which `rows` have what this one has, and all others nothing."""
        codes = np.full(size, MISSING, np.int32)
        codes[rows] = self.codes
        return Column(codes, self.values)

    def texts(self) -> list[str]:
        """The values as texts."""
        if isinstance(self.values, list):
            return self.values
        return list(map(repr, self.values.tolist()))

    def coded(self) -> Coded:
        """As evaluators read texts."""
        return Coded(self.codes, self.texts())

    def numbers(self) -> Numbers:
        """As evaluators read numbers."""
        if isinstance(self.values, list):
            parsed = map(number_of, self.values)
            found = np.array([np.nan if number is None else number for number in parsed], np.float64)
        else:
            found = self.values.astype(np.float64)
            found[~np.isfinite(found)] = np.nan
        # The place behind the last value is that of rows without one: their code, -1, leads there.
        values = np.append(found, np.nan)[self.codes]
        return Numbers(values, np.append(np.isnan(found), False)[self.codes])

    def take(self, rows: Rows | Mask | slice) -> Column:
        return Column(self.codes[rows], self.values)

    def compact(self) -> Column:
        """The same without values that do not occur."""
        codes, used = compacted(self.codes, len(self.values))
        if used is None:
            return self
        values = [self.values[place] for place in used.tolist()] if isinstance(self.values, list) else self.values[used]
        return Column(codes, values)


def text_of_json(value: Any) -> str:
    """A JSON scalar as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def join_columns(parts: Sequence[Column]) -> Column:
    """The rows of all parts, one after the other."""
    if len(parts) == 1:
        return parts[0]
    values, places = _united([part.values for part in parts])
    return Column(np.concatenate([recoded(part.codes, each) for part, each in zip(parts, places, strict=True)]), values)


def _united(parts: Sequence[Values]) -> tuple[Values, list[Codes]]:
    """The different values of all parts, and for each part the places of its values among them."""
    arrays = [part for part in parts if not isinstance(part, list)]
    kinds = {part.dtype for part in arrays}
    if len(kinds) == 1 and all(len(part) == 0 for part in parts if isinstance(part, list)):
        unique, places = _unique(np.concatenate(arrays))
        ends = np.cumsum([len(part) for part in parts])
        return unique, np.split(places, ends[:-1])
    index: dict[str, int] = {}
    number: Callable[[str], int] = lambda text: index.setdefault(text, len(index))  # noqa: E731
    found = [np.fromiter(map(number, Column(_NO_ROWS, part).texts()), np.int32, len(part)) for part in parts]
    return list(index), found


def _of_hashables(values: Sequence[str | None]) -> Column:
    texts = [value for value in dict.fromkeys(values) if value is not None]
    places: dict[str | None, int] = {text: place for place, text in enumerate(texts)}
    places[None] = MISSING
    return Column(np.fromiter(map(places.__getitem__, values), np.int32, len(values)), texts)


def _of_numbers(numbers: NDArray[Any]) -> Column:
    unique, codes = _unique(numbers)
    return Column(codes, unique)


def _unique(numbers: NDArray[Any]) -> tuple[NDArray[Any], Codes]:
    """The different ones, and which of them each is. Of zeros with and without sign, as their texts differ, two."""
    bits = numbers.view(np.int64) if numbers.dtype == np.float64 else numbers
    unique, places = np.unique(bits, return_inverse=True)
    return unique.view(numbers.dtype), places.astype(np.int32)


def _fits(values: Sequence[int]) -> bool:
    return reduce(max, (abs(min(values)), abs(max(values)))) <= _LARGEST


_NO_ROWS: Codes = np.empty(0, np.int32)
