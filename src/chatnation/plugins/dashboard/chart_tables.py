"""The table behind a chart: what the page shows beside it, and what is downloaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of a table: a text, or a number in a `unit`; None is shown as a dash.

    `key` is written in downloads instead; `open`: the value may still change.
    """

    value: str | float | None
    unit: str | None = None
    link: str | None = None
    open: bool = False
    key: str | None = None

    @property
    def amount(self) -> float:
        """The number to add up; 0 for what is none."""
        return self.value if isinstance(self.value, int | float) else 0

    @property
    def raw(self) -> str | float | None:
        """What a download holds."""
        return plain(self.value) if self.key is None else self.key


def plain(value: str | float | None) -> str | float | None:
    """A value for a download: numbers unformatted, whole ones without a point, others to six decimals."""
    if not isinstance(value, float):
        return value
    return int(value) if value.is_integer() else round(value, 6)


@dataclass(frozen=True, slots=True)
class ChartTable:
    """Names of the columns, and rows of as many cells; the first cell names the row."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def plain(self) -> Iterator[list[str | float | None]]:
        """The rows for a download."""
        for row in self.rows:
            yield [cell.raw for cell in row]
