"""Answers to funnels as key figures, charts and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from chatnation.plugins.dashboard.api import (
    Cell,
    Chart,
    Column,
    DataTable,
    Kpi,
    Series,
    funnel_chart,
    funnel_trend_chart,
    percent,
)
from chatnation.plugins.funnels import definitions
from chatnation.plugins.funnels.address import FORGOTTEN
from chatnation.plugins.funnels.conditions import field_label
from chatnation.plugins.funnels.definition import Definition
from chatnation.plugins.funnels.lengths import NAMES, SECONDS, in_unit
from chatnation.plugins.funnels.questions import FunnelView
from chatnation.plugins.funnels.wording import counted_noun
from chatnation.query import FunnelAnswer, FunnelGroup, Spread

WORTH_A_CALL = 0.05
"""A drop is called out if it is more than this share of those who came to the step."""
FORGET = {"value": None, "row": None, "offset": None, "person": None}
Row = Sequence[Cell | str | float | None]


def people_url(view: FunnelView, step: int, outcome: str, **row: str | None) -> str:
    """Where the list of those behind a number is; `value` or `row` name a row of the breakdown."""
    return view.url(at=step, outcome=outcome, **{**FORGET, **row}) + "#card-people"


def key_figures(view: FunnelView, definition: Definition, answer: FunnelAnswer, before: FunnelAnswer) -> list[Kpi]:
    """What the funnel comes to, against the period before."""
    last = definition.last
    now, then = answer.steps[last], before.steps[last]
    still = sum(step.open for step in answer.steps)
    what = counted_noun(definition)
    return [
        Kpi(
            "Entered",
            answer.steps[0].reached,
            definitions.ENTERED,
            before.steps[0].reached,
            link=people_url(view, 0, "reached"),
            metric="funnels.entered",
        ),
        Kpi(
            "Converted",
            now.reached,
            definitions.CONVERTED,
            then.reached,
            link=people_url(view, last, "reached"),
            metric="funnels.converted",
        ),
        Kpi(
            "Conversion",
            percent(answer.conversion),
            definitions.CONVERSION,
            percent(before.conversion),
            unit="percent",
            link=view.url() + "#card-table",
            metric="funnels.conversion",
        ),
        Kpi(
            "Median time",
            now.from_first.p50,
            definitions.TIME,
            then.from_first.p50,
            unit="seconds",
            link=view.url() + "#card-times",
            better="down",
            metric="funnels.time",
        ),
        Kpi(
            "Still open",
            still,
            definitions.OPEN,
            link=people_url(view, _most_open(answer), "open"),
            detail=f"{what} that may still go on",
            better=None,
            metric="funnels.open",
        ),
    ]


def _most_open(answer: FunnelAnswer) -> int:
    """The step at which most may still go on."""
    return max(range(len(answer.steps)), key=lambda place: answer.steps[place].open)


@dataclass(frozen=True, slots=True)
class Drop:
    """The step after which most stop: its place, the next one's name, how many, and their share of the step."""

    step: int
    name: str
    following: str
    dropped: int
    share: float


def largest_drop(definition: Definition, answer: FunnelAnswer) -> Drop | None:
    """The drop that costs most, if any is worth a call. In any order there is no next step, but one more or fewer."""
    backbone, found = definition.backbone, []
    for place, following in pairwise(backbone):
        step = answer.steps[place]
        if step.reached and step.dropped / step.reached > WORTH_A_CALL:
            following_name = answer.steps[following].name
            found.append(Drop(place, step.name, following_name, step.dropped, step.dropped / step.reached))
    return max(found, key=lambda drop: (drop.dropped, drop.share), default=None)


def steps_chart(view: FunnelView, definition: Definition, answer: FunnelAnswer, before: FunnelAnswer | None) -> Chart:
    """The steps as bars, each leading to who reached it."""
    chart = funnel_chart(
        replace(answer, previous=before),
        name=counted_noun(definition).capitalize(),
        link=lambda step: people_url(view, step, "reached"),
        compare=before is not None,
    )
    names = step_names(definition)
    return replace(chart, categories=names, empty_text=NOBODY)


NOBODY = "Nobody entered this funnel in this period. Look at more time, or change the first step."


def step_names(definition: Definition) -> list[str]:
    """What the rows of the funnel are called: in any order, they are numbers of steps."""
    if definition.order == "any":
        first = definition.steps[0].name if definition.anchor_first else "Any step"
        return [first, *(f"and {more} more" for more in range(1, len(definition.steps) - 1)), "All steps"]
    return [f"{step.name} (optional)" if step.optional else step.name for step in definition.steps]


def trend_chart(view: FunnelView, answer: FunnelAnswer) -> Chart:
    """Entries and conversion by the time of entry; each bar leads to the funnel of that time."""
    chart = funnel_trend_chart(answer, view)
    links = [view.url_of(point.bucket.start, point.bucket.end, view.path, **FORGOTTEN) for point in answer.trend]
    entered, *others = chart.series
    return replace(chart, series=[replace(entered, links=links), *others], empty_text=NOBODY)


def steps_table(view: FunnelView, definition: Definition, answer: FunnelAnswer) -> DataTable:
    """Each step with its shares and what became of those who stopped there."""
    rows: list[Row] = []
    for place, (name, step) in enumerate(zip(step_names(definition), answer.steps, strict=True)):
        rows.append(
            [
                f"{place + 1}. {name}",
                Cell(step.reached, "number", people_url(view, place, "reached")),
                percent(step.of_first),
                _bounds(step.low, step.high),
                percent(step.of_previous) if place else None,
                Cell(step.dropped, "number", people_url(view, place, "dropped")),
                Cell(step.open, "number", people_url(view, place, "open")),
            ]
        )
    return DataTable(
        columns=[
            Column("step", "Step"),
            Column("reached", "Reached", "number"),
            Column("of_first", "Of first", "percent"),
            Column("interval", "95% interval", definition="Wilson's interval of the share of the first step."),
            Column("of_previous", "Of step before", "percent"),
            Column("dropped", "Dropped", "number"),
            Column("open", "Still open", "number"),
        ],
        rows=rows if answer.steps[0].reached else [],
        page_size=len(rows),
        empty_text=NOBODY,
    )


TIMES = (("p50", "Median"), ("p75", "75%"), ("p90", "90%"), ("p95", "95%"))
"""Figures of times, and their headings: so many took no longer."""


def times_table(definition: Definition, answer: FunnelAnswer) -> DataTable:
    """How long each step took, from the step before and from the first one."""
    rows: list[Row] = [
        [f"{place + 1}. {name}", *_times(step.from_previous), *_times(step.from_first)]
        for place, (name, step) in enumerate(zip(step_names(definition), answer.steps, strict=True))
        if place
    ]
    columns = [Column("step", "Step")]
    for since in ("from_previous", "from_first"):
        columns += [Column(f"{since}_{figure}", label, "seconds") for figure, label in TIMES]
    return DataTable(columns=columns, rows=rows if answer.steps[0].reached else [])


def _times(spread: Spread) -> list[float | None]:
    return [getattr(spread, figure) for figure, _ in TIMES]


def histogram_chart(definition: Definition, answer: FunnelAnswer) -> Chart:
    """How long those who converted took. The ranges are equally wide, so one unit does for all of them."""
    edges = [bucket.low or 0 for bucket in answer.histogram]
    width = edges[1] - edges[0] if len(edges) > 1 else 1
    unit = in_unit(width)[1]
    numbers = [f"{edge / SECONDS[unit]:g}" for edge in edges]
    labels = [f"{low}–{high}" for low, high in pairwise(numbers)]  # noqa: RUF001 - a range takes an en dash
    return Chart(
        kind="histogram",
        category=f"{NAMES[unit].capitalize()}s from the first step to the last",
        categories=[*labels, *(f"{number} or more" for number in numbers[-1:])],
        series=[Series(counted_noun(definition).capitalize(), [bucket.count for bucket in answer.histogram])],
        empty_text="Nobody reached the last step.",
    )


def groups_table(view: FunnelView, definition: Definition, answer: FunnelAnswer) -> DataTable:
    """A row a value of the breakdown; they add up to the total."""
    names = step_names(definition)
    rows: list[Row] = [
        [
            _value(view, group),
            *(_reached(view, group, place) for place in range(len(group.reached))),
            percent(group.conversion),
            _difference(group, answer.conversion),
        ]
        for group in answer.groups
    ]
    return DataTable(
        columns=[
            Column("value", field_label(definition.by or "").capitalize()),
            *(Column(f"step_{number}", name, "number") for number, name in enumerate(names, 1)),
            Column("conversion", "Conversion", "percent"),
            Column("difference", "Differs"),
        ],
        rows=rows if answer.steps[0].reached else [],
        total=["All", *(step.reached for step in answer.steps), percent(answer.conversion), ""],
        page_size=max(1, len(rows)),
        empty_text=NOBODY,
    )


def _value(view: FunnelView, group: FunnelGroup) -> Cell:
    link = people_url(view, 0, "reached", **_row(group))
    if group.other:
        return Cell("Other", link=link)
    return Cell("Unknown", link=link, key="") if group.value is None else Cell(group.value, link=link)


def _reached(view: FunnelView, group: FunnelGroup, place: int) -> Cell:
    return Cell(group.reached[place], link=people_url(view, place, "reached", **_row(group)))


def _row(group: FunnelGroup) -> dict[str, str | None]:
    """The row of a group in an address: Unknown and Other might be values too."""
    if group.other:
        return {"row": "other"}
    return {"row": "unknown"} if group.value is None else {"value": group.value}


def _difference(group: FunnelGroup, overall: float | None) -> str:
    if not group.significant or group.conversion is None or overall is None:
        return ""
    return "▲ better" if group.conversion > overall else "▼ worse"


def _bounds(low: float | None, high: float | None) -> Cell:
    if low is None or high is None:
        return Cell(None)
    return Cell(f"{100 * low:.1f}–{100 * high:.1f}%")  # noqa: RUF001 - a range takes an en dash
