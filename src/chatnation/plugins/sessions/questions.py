"""Questions about sessions that several plugins ask: asked alike, they are answered once."""

from __future__ import annotations

from chatnation.plugins.sessions.clusters import IGNORED
from chatnation.query import (
    Breakdown,
    Condition,
    Filter,
    Formula,
    Granularity,
    Measure,
    Range,
    Selection,
    Series,
    Timeseries,
)

Conditions = tuple[Condition, ...]

CONVERTED = Selection(filters=(Filter("converted", "is", ("true",)),))
JOURNEYS = Selection(filters=(Filter("journey", "is", ("true",)),))
IDENTIFIED = Selection(filters=(Filter("user_id", "is_set"),))
"""Sessions in which a user id or phone number was seen."""
MOVING = Selection(filters=(Filter("duration_seconds", "gt", (0.0,)),))
"""Sessions that have a length: more than one moment of theirs is known."""
ACTIVE = Selection(filters=(Filter("event_name", "is_not", tuple(sorted(IGNORED))),))
"""Events that somebody is behind, and not a phone that confirms, or a server that sends to many."""


def visits(stretch: Range, filters: Conditions, granularity: Granularity) -> Timeseries:
    """Everything that is told of sessions by when they began, against the range before.

    Series: `sessions`, `journeys`, `conversions`, `persons`, `identified` (persons), `page_views`, `duration` (mean
    seconds); formulas: `conversion_rate` and `identified_share`, in percent.
    """
    return Timeseries(
        range=stretch,
        source="sessions",
        filters=filters,
        granularity=granularity,
        series=(
            Series("sessions"),
            Series("journeys", JOURNEYS),
            Series("conversions", CONVERTED),
            Series("persons", measure=Measure("persons")),
            Series("identified", IDENTIFIED, Measure("persons")),
            Series("page_views", measure=Measure("sum", "page_count")),
            Series("duration", measure=Measure("avg", "duration_seconds")),
        ),
        formulas=(
            Formula("conversion_rate", "100 * {conversions} / {sessions}"),
            Formula("identified_share", "100 * {identified} / {persons}"),
        ),
        compare=True,
    )


def growth(stretch: Range, filters: Conditions, granularity: Granularity) -> Timeseries:
    """Persons with a session by bucket: `persons`, of these `new` (their first session ever), and `returning`."""
    return Timeseries(
        range=stretch,
        source="sessions",
        filters=filters,
        granularity=granularity,
        series=(Series("persons", measure=Measure("persons")), Series("new", measure=Measure("new_persons"))),
        formulas=(Formula("returning", "{persons} - {new}"),),
        compare=True,
    )


def lengths(stretch: Range, filters: Conditions, granularity: Granularity) -> Timeseries:
    """How long sessions are that have a length: `sessions`, `mean` and `median` seconds."""
    return Timeseries(
        range=stretch,
        source="sessions",
        filters=filters,
        granularity=granularity,
        series=(
            Series("sessions", MOVING),
            Series("mean", MOVING, Measure("avg", "duration_seconds")),
            Series("median", MOVING, Measure("p50", "duration_seconds")),
        ),
        compare=True,
    )


def active_persons(stretch: Range, filters: Conditions, granularity: Granularity = "day") -> Timeseries:
    """Different persons with an event of their own, by bucket: `persons`. `filters` are conditions on events."""
    return Timeseries(
        range=stretch,
        filters=filters,
        granularity=granularity,
        series=(Series("persons", ACTIVE, Measure("persons")),),
        compare=True,
    )


def ranking(stretch: Range, filters: Conditions, field: str, limit: int) -> Breakdown:
    """`sessions` by a field of theirs, the most frequent values first."""
    return Breakdown(
        range=stretch,
        source="sessions",
        filters=filters,
        by=(field,),
        series=(Series("sessions"),),
        limit=limit,
    )


def week(stretch: Range, filters: Conditions) -> Breakdown:
    """`sessions` by the weekday (0 is Sunday) and hour in which they began."""
    return Breakdown(
        range=stretch,
        source="sessions",
        filters=filters,
        by=("time.weekday", "time.hour"),
        series=(Series("sessions"),),
        limit=7 * 24,
    )


def pages(stretch: Range, filters: Conditions, limit: int) -> Breakdown:
    """Page `views` by path, and the `sessions` with a view of it. `filters` are conditions on events."""
    viewed = Selection(("page_view",), (Filter("page_path", "is_set"),))
    return Breakdown(
        range=stretch,
        filters=filters,
        by=("page_path",),
        series=(Series("views", viewed), Series("sessions", viewed, Measure("sessions"))),
        limit=limit,
    )
