"""Tables of an analytics page: all rows in hand, sorted and paged by address, downloaded whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chatnation.plugins.dashboard.chart_tables import Cell
from chatnation.plugins.dashboard.charts import Unit

if TYPE_CHECKING:
    from chatnation.plugins.dashboard.view import View


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name in addresses and downloads, its heading, and the unit of its numbers (None: texts)."""

    name: str
    label: str
    unit: Unit | None = None
    definition: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTable:
    """Rows as lists of cells or plain values, one a column. `sort`: the column at first, with `-` the greatest first.

    `total` is a row at the foot. Numbers without a unit of their own have that of their column.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell | str | float | None]]
    sort: str | None = None
    page_size: int = 20
    total: Sequence[Cell | str | float | None] | None = None
    note: str = ""
    empty_text: str = "Nothing was counted in this period."

    def cells(self, row: Sequence[Cell | str | float | None]) -> list[Cell]:
        """A row as cells with units."""
        return [_cell(value, column) for value, column in zip(row, self.columns, strict=True)]

    def sorted_by(self, sort: str | None) -> list[list[Cell]]:
        """All rows in the order of a column; rows without a value last. An unknown column changes nothing."""
        rows = [self.cells(row) for row in self.rows]
        name = (sort or "").removeprefix("-")
        place = next((place for place, column in enumerate(self.columns) if column.name == name), None)
        if place is None:
            return rows
        known = [row for row in rows if row[place].value is not None]
        known.sort(key=lambda row: _order(row[place].value), reverse=(sort or "").startswith("-"))
        return known + [row for row in rows if row[place].value is None]

    def plain(self) -> Iterator[list[str | float | None]]:
        """Every row for a download, as sorted at first."""
        for row in self.sorted_by(self.sort):
            yield [cell.raw for cell in row]


@dataclass(frozen=True, slots=True)
class TablePage:
    """What is shown of a table: some rows in an order, and the addresses of other orders and pages."""

    table: DataTable
    rows: Sequence[Sequence[Cell]]
    sort: str | None
    page: int
    pages: int
    card_id: str
    view: View[Any]

    @classmethod
    def of(cls, table: DataTable, card_id: str, view: View[Any]) -> TablePage:
        """The page that the address asks for: `<card>_sort` and `<card>_page`."""
        asked = view.request.query_params
        sort = asked.get(f"{card_id}_sort") or table.sort
        rows = table.sorted_by(sort)
        pages = max(1, -(-len(rows) // table.page_size))
        number = asked.get(f"{card_id}_page", "")
        page = min(int(number), pages) if number.isascii() and number.isdigit() and 0 < len(number) < 9 else 1
        page = max(page, 1)
        return cls(table, rows[(page - 1) * table.page_size : page * table.page_size], sort, page, pages, card_id, view)

    @property
    def total(self) -> list[Cell] | None:
        return self.table.cells(self.table.total) if self.table.total is not None else None

    def direction(self, column: Column) -> str:
        """`ascending`, `descending` or `none`, as `aria-sort` says it."""
        if (self.sort or "").removeprefix("-") != column.name:
            return "none"
        return "descending" if (self.sort or "").startswith("-") else "ascending"

    def sort_change(self, column: Column) -> dict[str, object]:
        """The parameters that sort by a column: numbers the greatest first, a second time the other way round."""
        first = f"-{column.name}" if column.unit else column.name
        other = column.name if column.unit else f"-{column.name}"
        return {f"{self.card_id}_sort": other if self.sort == first else first, f"{self.card_id}_page": None}

    def page_change(self, page: int) -> dict[str, object]:
        """The parameters of another page."""
        sort = self.sort if self.sort != self.table.sort else None
        return {f"{self.card_id}_sort": sort, f"{self.card_id}_page": page if page > 1 else None}


def _cell(value: Cell | str | float | None, column: Column) -> Cell:
    if isinstance(value, Cell):
        return (
            value
            if value.unit or column.unit is None
            else Cell(value.value, column.unit, value.link, value.open, value.key)
        )
    return Cell(value, column.unit)


def _order(value: str | float | None) -> tuple[bool, float, str]:
    return (True, 0, value.casefold()) if isinstance(value, str) else (False, value or 0, "")
