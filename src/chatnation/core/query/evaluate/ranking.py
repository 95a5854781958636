"""Rows by the values of fields: the greatest values each, and everything beyond them together."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.evaluate.local import LocalFrame
from chatnation.core.query.evaluate.measures import Groups
from chatnation.core.query.evaluate.rows import Picked
from chatnation.core.query.evaluate.series import Measured
from chatnation.core.query.fields import Field
from chatnation.core.query.frame import Coded, Rows

Keys = NDArray[np.int64]
Values = tuple[str | None, ...]

_FEW = 20_000
_TABLE = 1 << 24
"""Up to so many combinations of values, a table tells the group of each."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """Rows of one or several frames with a key each, which stands for their values of the fields in all the frames.

    `texts` are the values of each field; key 0 of a field is the missing value, then they come in this order.
    """

    keys: dict[int, Keys]
    texts: tuple[Sequence[str], ...]

    @property
    def domain(self) -> int:
        """All keys are below this."""
        domain = 1
        for texts in self.texts:
            domain *= len(texts) + 1
        return domain

    def of(self, picked: Picked) -> Keys:
        """The key of each row."""
        return self.keys[id(picked.frame)][picked.rows]

    def values(self, key: int) -> Values:
        """The values that a key stands for."""
        found: list[str | None] = []
        for texts in reversed(self.texts):
            key, code = divmod(key, len(texts) + 1)
            found.append(texts[code - 1] if code else None)
        return tuple(reversed(found))


@dataclass(frozen=True, slots=True)
class Ranking:
    """The keys that have a group of their own, in order; all others share the last group."""

    keyed: Keyed
    keys: Keys

    @property
    def values(self) -> list[Values]:
        """The values of each group but the last."""
        return [self.keyed.values(int(key)) for key in self.keys]

    def groups(self, picked: Picked) -> Groups:
        """The group of each row."""
        return _places(self.keys, self.keyed.of(picked), self.keyed.domain)

    def beyond(self, series: Iterable[Measured]) -> bool:
        """Whether some row is in the last group."""
        return any(bool((self.groups(some.picked) == len(self.keys)).any()) for some in series)


def keyed(frames: Iterable[LocalFrame], fields: Sequence[Field]) -> Keyed:
    """Gives every row of the frames its key."""
    places = {id(frame): frame for frame in frames}
    keys = {place: np.zeros(frame.size, np.int64) for place, frame in places.items()}
    texts = []
    for field in fields:
        columns, values = _aligned({place: frame.column(field) for place, frame in places.items()})
        texts.append(values)
        for place, codes in columns.items():
            keys[place] *= len(values) + 1
            keys[place] += codes
            keys[place] += 1
    return Keyed(keys, tuple(texts))


def rank(keyed: Keyed, series: Sequence[Measured], limit: int) -> Ranking:
    """The `limit` values with the most of the first series, among those that rows of any series have.

    Equals come in the order of their texts, a missing value last; so do values of which the measure tells nothing.
    """
    present = _different([keyed.of(some.picked) for some in series], keyed.domain)
    first = series[0]
    groups = _places(present, keyed.of(first.picked), keyed.domain)
    scores = first.meter()(groups, len(present))
    scores = np.where(np.isnan(scores), -np.inf, scores)
    if len(present) > limit:
        least = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        better, equal = np.flatnonzero(scores > least), np.flatnonzero(scores == least)
        candidates = np.concatenate((better, _first_by_text(keyed, present, equal, limit)))
    else:
        candidates = np.arange(len(present))

    def place(index: int) -> tuple[float, list[tuple[bool, str]]]:
        texts = keyed.values(int(present[index]))
        return -scores[index], [(text is None, text or "") for text in texts]

    best = heapq.nsmallest(limit, candidates.tolist(), key=place)
    return Ranking(keyed, present[best] if best else np.empty(0, np.int64))


def _first_by_text(keyed: Keyed, present: Keys, equal: Rows, limit: int) -> Rows:
    """The first `limit` of many keys, by their texts: sorts each field's texts, not all combinations of them."""
    if len(equal) <= max(_FEW, limit):
        return equal
    rest, place, weight = present[equal], np.zeros(len(equal), np.int64), 1
    for texts in reversed(keyed.texts):
        rest, codes = np.divmod(rest, len(texts) + 1)
        order = np.empty(len(texts) + 1, np.int64)
        order[[*(1 + code for code in sorted(range(len(texts)), key=texts.__getitem__)), 0]] = range(len(order))
        place += order[codes] * weight
        weight *= len(order)
    return equal[np.argpartition(place, limit)[:limit]]


def _aligned(columns: dict[int, Coded]) -> tuple[dict[int, NDArray[np.integer]], Sequence[str]]:
    """The columns' codes in terms of one list of values."""
    if len(columns) == 1:
        ((place, column),) = columns.items()
        return {place: column.codes}, column.values
    values: dict[str, int] = {}
    aligned: dict[int, NDArray[np.integer]] = {}
    for place, column in columns.items():
        table = [*(values.setdefault(text, len(values)) for text in column.values), -1]
        aligned[place] = np.array(table, np.int64)[column.codes]
    return aligned, list(values)


def _different(keys: Sequence[Keys], domain: int) -> Keys:
    """All keys, each once, in rising order."""
    if domain <= _TABLE:
        marks = np.zeros(domain, np.bool_)
        for some in keys:
            marks[some] = True
        return np.flatnonzero(marks).astype(np.int64)
    together = np.concatenate(keys)
    together.sort()
    return together[np.concatenate(([True], together[1:] != together[:-1]))[: len(together)]]


def _places(wanted: Keys, keys: Keys, domain: int) -> Groups:
    """Where each key is among those wanted, which are all different; their number where it is not."""
    if domain <= _TABLE:
        table = np.full(domain, len(wanted), np.int32)
        table[wanted] = np.arange(len(wanted))
        return table[keys]
    if not len(wanted):
        return np.zeros(len(keys), np.intp)
    if len(wanted) > _FEW:
        # Many among many: neighbours are looked up one after the other, or each of them would miss the caches.
        order = np.argsort(keys)
        places = np.empty(len(keys), np.intp)
        places[order] = _search(wanted, keys[order])
        return places
    return _search(wanted, keys)


def _search(wanted: Keys, keys: Keys) -> Groups:
    order = np.argsort(wanted)
    found = np.minimum(np.searchsorted(wanted, keys, sorter=order), len(wanted) - 1)
    return np.where(wanted[order[found]] == keys, order[found], len(wanted))
