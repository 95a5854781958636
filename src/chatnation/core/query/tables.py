"""Every answer as tables, for spreadsheets: the first is what one looks at, the others are what comes with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from chatnation.core.query import answers, model
from chatnation.core.query.answers import Answer, Bucket, NumberBucket, OutcomeCounts, Spread

Row = Sequence[object]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts, numbers, flags and None."""

    name: str
    columns: tuple[str, ...]
    rows: list[Row]


def tables_of(query: model.Query, answer: Answer) -> list[Table]:
    """The tables of an answer to `query`, at least one."""
    found = _MAKERS[type(answer)](query, answer)
    return [Table(table.name, table.columns, [[_cell(cell) for cell in row] for row in table.rows]) for table in found]


def _timeseries(query: model.Timeseries, answer: answers.TimeseriesAnswer) -> list[Table]:
    tables = [_lines("values", answer.buckets, answer.lines), _totals("totals", answer.lines)]
    if answer.previous:
        tables.append(_lines("previous", answer.previous_buckets, answer.previous))
        tables.append(_totals("previous_totals", answer.previous))
    return tables


def _lines(name: str, buckets: Sequence[Bucket], lines: Sequence[answers.Line]) -> Table:
    columns = ("bucket", "start", "end", "complete", *map(_line_name, lines))
    rows: list[Row] = [
        [*_of_bucket(bucket), *(line.values[place] for line in lines)] for place, bucket in enumerate(buckets)
    ]
    return Table(name, columns, rows)


def _totals(name: str, lines: Sequence[answers.Line]) -> Table:
    return Table(name, ("series", "total"), [[_line_name(line), line.total] for line in lines])


def _line_name(line: answers.Line) -> str:
    if line.other:
        return f"{line.series}: other"
    return line.series if line.value is None else f"{line.series}: {line.value}"


def _breakdown(query: model.Breakdown, answer: answers.BreakdownAnswer) -> list[Table]:
    compared = tuple(f"previous {name}" for name in answer.series) if query.compare else ()
    rows: list[Row] = [_breakdown_row("", row, query) for row in answer.rows]
    if answer.other is not None:
        rows.append(_breakdown_row("other", answer.other, query))
    rows.append(_breakdown_row("total", answer.total, query))
    return [Table("rows", (*query.by, "sum", *answer.series, *compared), rows)]


def _breakdown_row(sum_of: str, row: answers.BreakdownRow, query: model.Breakdown) -> Row:
    values = [None] * len(query.by) if sum_of else row.values
    previous = (row.previous or [None] * len(row.measures)) if query.compare else ()
    return [*values, sum_of, *row.measures, *previous]


def _distribution(query: model.Distribution, answer: answers.DistributionAnswer) -> list[Table]:
    return [_histogram("buckets", answer.buckets), Table("spread", _SPREAD, [_of_spread(answer.spread)])]


def _uniques(query: model.Uniques, answer: answers.UniquesAnswer) -> list[Table]:
    names = tuple(each.name for each in query.sets)
    combinations: list[Row] = [
        [*(name in combination.sets for name in names), combination.actors] for combination in answer.combinations
    ]
    sizes: list[Row] = [[name, answer.sizes.get(name)] for name in names]
    return [
        Table("combinations", (*names, "actors"), combinations),
        Table("sizes", ("set", "actors"), [*sizes, ["any", answer.total]]),
    ]


def _funnel(query: model.Funnel, answer: answers.FunnelAnswer) -> list[Table]:
    shown = ("name", "optional", "reached", "of_first", "of_previous", "dropped", "open", "low", "high")
    before = answer.previous.steps if answer.previous else ()
    steps: list[Row] = [
        [
            place + 1,
            *(getattr(step, name) for name in shown),
            *_of_spread(step.from_previous),
            *_of_spread(step.from_first),
            *([before[place].reached] if before else []),
        ]
        for place, step in enumerate(answer.steps)
    ]
    times = (*(f"from_previous_{name}" for name in _SPREAD), *(f"from_first_{name}" for name in _SPREAD))
    tables = [Table("steps", ("step", *shown, *times, *(["previous_reached"] if before else [])), steps)]
    if answer.groups:
        names = (query.by or "value", "other", *(step.name for step in answer.steps), "conversion", "significant")
        groups: list[Row] = [
            [group.value, group.other, *group.reached, group.conversion, group.significant] for group in answer.groups
        ]
        tables.append(Table("groups", names, groups))
    if answer.trend:
        told = ("entered", "converted", "open", "conversion", "mature")
        trend: list[Row] = [
            [*_of_bucket(each.bucket), *(getattr(each, name) for name in told)] for each in answer.trend
        ]
        tables.append(Table("trend", (*_BUCKET, *told), trend))
    tables.append(_histogram("times", answer.histogram))
    return tables


def _retention(query: model.Retention, answer: answers.RetentionAnswer) -> list[Table]:
    def table(name: str, of: Callable[[answers.RetentionCell], object]) -> Table:
        width = len(answer.periods)
        rows: list[Row] = [
            [*_of_bucket(cohort.bucket), cohort.size, *_padded([of(cell) for cell in cohort.cells], width)]
            for cohort in answer.cohorts
        ]
        return Table(name, (*_BUCKET, "size", *answer.periods), rows)

    average: list[Row] = [list(answer.average)]
    return [
        table("actors", lambda cell: cell.actors),
        table("shares", lambda cell: cell.share),
        table("open", lambda cell: cell.open),
        Table("average", answer.periods, average),
    ]


def _paths(query: model.Paths, answer: answers.PathsAnswer) -> list[Table]:
    def node(place: int) -> Row:
        found = answer.nodes[place]
        return found.column, found.value, found.other

    links: list[Row] = [[*node(link.source), *node(link.target), link.count] for link in answer.links]
    columns = ("column", "value", "other", "next_column", "next_value", "next_other", "count")
    return [Table("links", columns, links), _plain("nodes", answers.PathNode, answer.nodes)]


def _lifecycle(query: model.Lifecycle, answer: answers.LifecycleAnswer) -> list[Table]:
    told = ("new", "returning", "resurrecting", "dormant")
    rows: list[Row] = [[*_of_bucket(each.bucket), *(getattr(each, name) for name in told)] for each in answer.buckets]
    return [Table("buckets", (*_BUCKET, *told), rows)]


def _stickiness(query: model.Stickiness, answer: answers.StickinessAnswer) -> list[Table]:
    rows: list[Row] = [[periods, actors] for periods, actors in enumerate(answer.actors, 1)]
    return [Table("periods", ("periods", "actors"), rows)]


def _intervals(query: model.Intervals, answer: answers.IntervalsAnswer) -> list[Table]:
    total: Row = [answer.starts, answer.unanswered, answer.open, *_of_spread(answer.spread)]
    trend: list[Row] = [
        [*_of_bucket(each.bucket), *_of_spread(each.spread), each.starts, each.unanswered, each.open]
        for each in answer.trend
    ]
    groups: list[Row] = [
        [each.value, each.other, *_of_spread(each.spread), each.starts, each.unanswered, each.open]
        for each in answer.groups
    ]
    return [
        Table("total", ("starts", "unanswered", "open", *_SPREAD), [total]),
        _histogram("buckets", answer.buckets),
        Table("trend", (*_BUCKET, *_SPREAD, "starts", "unanswered", "open"), trend),
        Table("groups", (query.by or "value", "other", *_SPREAD, "starts", "unanswered", "open"), groups),
    ]


def _outcomes(query: model.Outcomes, answer: answers.OutcomesAnswer) -> list[Table]:
    names = tuple(outcome.name for outcome in query.outcomes)

    def counts(each: OutcomeCounts) -> Row:
        return [each.attempts, *(each.outcomes.get(name, 0) for name in names), each.none, each.open]

    columns = ("attempts", *names, "none", "open")
    trend: list[Row] = [[*_of_bucket(each.bucket), *counts(each.counts)] for each in answer.trend]
    groups: list[Row] = [[each.value, each.other, *counts(each.counts)] for each in answer.groups]
    tables = [
        Table("total", columns, [counts(answer.total)]),
        Table("trend", (*_BUCKET, *columns), trend),
        Table("groups", (query.by or "value", "other", *columns), groups),
    ]
    if answer.previous is not None:
        tables.append(Table("previous", columns, [counts(answer.previous)]))
    tables.append(
        Table("took", ("outcome", *_SPREAD), [[name, *_of_spread(answer.took[name])] for name in answer.took])
    )
    if query.outside:
        tables.append(
            Table("outside", ("outcome", "events"), [[name, count] for name, count in answer.outside.items()])
        )
    if query.tell is not None:
        tables.append(_plain("attempts", answers.Attempt, answer.told))
    return tables


def _catalogue(query: model.Catalogue, answer: answers.CatalogueAnswer) -> list[Table]:
    told = ("event_name", "count", "persons", "first_seen", "last_seen", "senders", "channels")
    events: list[Row] = [[getattr(event, name) for name in told] for event in answer.events]
    properties: list[Row] = [
        [event.event_name, each.name, each.count, each.types, "; ".join(each.examples)]
        for event in answer.events
        for each in event.properties
    ]
    return [
        Table("events", told, events),
        Table("properties", ("event_name", "property", "count", "types", "examples"), properties),
    ]


def _walk(query: model.FunnelWalk, answer: answers.FunnelWalkAnswer) -> list[Table]:
    rows: list[Row] = [
        [
            event.timestamp,
            event.event_name,
            ", ".join(str(step + 1) for step in event.steps),
            None if event.served is None else event.served + 1,
            event.note,
        ]
        for event in answer.events
    ]
    return [Table("events", ("timestamp", "event_name", "matches_steps", "served_step", "note"), rows)]


_BUCKET = ("bucket", "start", "end", "complete")
_SPREAD = tuple(field.name for field in fields(Spread))


def _of_bucket(bucket: Bucket) -> Row:
    return bucket.label, bucket.start, bucket.end, bucket.complete


def _of_spread(spread: Spread) -> Row:
    return [getattr(spread, name) for name in _SPREAD]


def _histogram(name: str, buckets: Iterable[NumberBucket]) -> Table:
    return _plain(name, NumberBucket, buckets)


def _plain(name: str, kind: type[Any], items: Iterable[object]) -> Table:
    """A row an item, a column a field."""
    columns = tuple(field.name for field in fields(kind))
    return Table(name, columns, [[getattr(item, column) for column in columns] for item in items])


def _padded(cells: list[object], width: int) -> list[object]:
    return [*cells, *[None] * (width - len(cells))]


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return to_json(value, inf_nan_mode="null").decode()
    return value


_MAKERS: dict[type[Any], Callable[[Any, Any], list[Table]]] = {
    answers.TimeseriesAnswer: _timeseries,
    answers.BreakdownAnswer: _breakdown,
    answers.DistributionAnswer: _distribution,
    answers.UniquesAnswer: _uniques,
    answers.FunnelAnswer: _funnel,
    answers.FunnelActorsAnswer: lambda query, answer: [_plain("actors", answers.FunnelActor, answer.actors)],
    answers.FunnelWalkAnswer: _walk,
    answers.RetentionAnswer: _retention,
    answers.PathsAnswer: _paths,
    answers.LifecycleAnswer: _lifecycle,
    answers.StickinessAnswer: _stickiness,
    answers.ActorsAnswer: lambda query, answer: [_plain("actors", answers.FoundActor, answer.actors)],
    answers.IntervalsAnswer: _intervals,
    answers.OutcomesAnswer: _outcomes,
    answers.EventsAnswer: lambda query, answer: [_plain("events", answers.EventRow, answer.events)],
    answers.CatalogueAnswer: _catalogue,
}
