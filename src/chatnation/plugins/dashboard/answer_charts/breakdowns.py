"""Rankings, parts of a whole, and the hours of the week."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from chatnation.plugins.dashboard.answer_charts.labels import Rename, value_name
from chatnation.plugins.dashboard.charts import Chart, ChartKind, Series, Unit
from chatnation.query import BreakdownAnswer, BreakdownRow

ValueLink = Callable[[str | None], str | None]
"""Where a value leads; None stands for rows without a value."""

WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
WEEK = (1, 2, 3, 4, 5, 6, 0)
HOURS = [f"{hour:02}:00" for hour in range(24)]


def ranked_chart(
    answer: BreakdownAnswer,
    category: str,
    *,
    kind: ChartKind = "ranked",
    names: Mapping[str, str] | None = None,
    only: Sequence[str] | None = None,
    unit: Unit = "number",
    units: Mapping[str, Unit] | None = None,
    link: ValueLink | None = None,
    rename: Rename | None = None,
    other: bool = True,
    note: str = "",
) -> Chart:
    """A ranking by one field: the first series is drawn, the others are in the table. `other`: a row for the rest.

    `link(value)` says where a value leads. With `kind="bars"` or `"stacked"` every series is drawn.
    """
    names, units = names or {}, units or {}
    rows = [*answer.rows, answer.other] if other and answer.other else list(answer.rows)
    links = [_link(link, row, is_other=row is answer.other) for row in rows] if link else None
    chosen = only if only is not None else answer.series
    series = []
    for name in chosen:
        place = answer.series.index(name)
        values = [row.measures[place] for row in rows]
        series.append(Series(names.get(name, name), values, links, units.get(name)))
    return Chart(
        kind=kind,
        category=category,
        categories=[value_name(row.values[0], rename, other=row is answer.other) for row in rows],
        keys=[row.values[0] or "" if row is not answer.other else "other" for row in rows],
        series=series,
        unit=unit,
        note=note,
    )


def share_chart(
    answer: BreakdownAnswer,
    category: str,
    *,
    name: str = "Count",
    unit: Unit = "number",
    link: ValueLink | None = None,
    rename: Rename | None = None,
    note: str = "",
) -> Chart:
    """A donut of the first series by one field, the rest of the values included."""
    chart = answer.series[0]
    return ranked_chart(
        answer,
        category,
        kind="donut",
        names={chart: name},
        only=[chart],
        unit=unit,
        link=link,
        rename=rename,
        note=note,
    )


def week_heatmap(
    answer: BreakdownAnswer,
    *,
    link: Callable[[int, int], str | None] | None = None,
    unit: Unit = "number",
    timezone: str = "",
) -> Chart:
    """The first series by weekday and hour, from a breakdown by `time.weekday` and `time.hour` with a limit of 168.

    `link(weekday, hour)` says where a cell leads; weekday 0 is Sunday. Rows begin with Monday.
    """
    cells = {_cell(row): row.measures[0] for row in answer.rows if None not in row.values}
    series = [
        Series(
            WEEKDAYS[weekday],
            [cells.get((weekday, hour), 0 if unit == "number" else None) for hour in range(24)],
            [link(weekday, hour) for hour in range(24)] if link else None,
        )
        for weekday in WEEK
    ]
    note = f"Hours of {timezone}" if timezone else ""
    return Chart(kind="heatmap", category="Hour", categories=HOURS, series=series, unit=unit, note=note)


def _cell(row: BreakdownRow) -> tuple[int, int]:
    weekday, hour = row.values
    return int(weekday or 0), int(hour or 0)


def _link(link: ValueLink, row: BreakdownRow, *, is_other: bool) -> str | None:
    return None if is_other else link(row.values[0])
