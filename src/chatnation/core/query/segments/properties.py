"""Columns of properties: each path to a scalar in any of the objects is one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chatnation.core.query.frame import Rows
from chatnation.core.query.segments.column import Column

Object = Mapping[str, Any]
_NO_VALUES = (list, type(None))


@dataclass(slots=True)
class _Found:
    """The values under one path, and the rows that have them."""

    rows: list[Rows] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)


def flatten(objects: Sequence[Object]) -> dict[str, Column]:
    """Columns by path, keys joined by dots: `{"template": {"name": "x"}}` has `template.name`. One object a row.

    A key that itself has a dot is reached at the top only, where it wins over a path of the same name.
    """
    found: defaultdict[str, _Found] = defaultdict(_Found)
    dotted = _walk(objects, np.arange(len(objects)), "", found)
    columns = {path: _column(each, len(objects)) for path, each in found.items() if each.values}
    for key, rows in dotted.items():
        _overrule(columns, key, [objects[row].get(key) for row in rows.tolist()], rows, len(objects))
    return {path: column for path, column in columns.items() if (column.codes >= 0).any()}


def _walk(objects: Sequence[Object], rows: Rows, prefix: str, found: dict[str, _Found]) -> dict[str, Rows]:
    """Gather the scalars of some objects; gives the rows of keys with a dot, which are left out."""
    # Objects with the same keys are taken column by column, several times as fast as one by one.
    alike: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, each in enumerate(objects):
        alike[tuple(each)].append(place)
    dotted: defaultdict[str, list[Rows]] = defaultdict(list)
    for keys, places in alike.items():
        members = objects if len(places) == len(objects) else [objects[place] for place in places]
        of_members = rows[places]
        for key in keys:
            if "." in key:
                dotted[key].append(of_members)
            else:
                _take([each[key] for each in members], of_members, prefix + key, found)
    return {key: np.concatenate(each) for key, each in dotted.items()}


def _take(values: list[Any], rows: Rows, path: str, found: dict[str, _Found]) -> None:
    kinds = set(map(type, values))
    if dict in kinds:
        inner = [place for place, value in enumerate(values) if type(value) is dict]
        _walk([values[place] for place in inner], rows[inner], f"{path}.", found)
    if not kinds.isdisjoint((dict, *_NO_VALUES)):
        scalars = [place for place, value in enumerate(values) if type(value) not in (dict, *_NO_VALUES)]
        values, rows = [values[place] for place in scalars], rows[scalars]
    if values:
        found[path].rows.append(rows)
        found[path].values += values


def _column(found: _Found, size: int) -> Column:
    return Column.of(found.values).spread(np.concatenate(found.rows), size)


def _overrule(columns: dict[str, Column], key: str, values: list[Any], rows: Rows, size: int) -> None:
    own = [None if type(value) in (dict, list) else value for value in values]
    texts: list[Any] = [None] * size
    if key in columns:
        column = columns[key]
        names = column.texts()
        texts = [names[code] if code >= 0 else None for code in column.codes.tolist()]
    for row, value in zip(rows.tolist(), own, strict=True):
        texts[row] = value
    columns[key] = Column.of(texts)
