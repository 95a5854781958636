"""What the pages beyond the plain trends ask."""

from __future__ import annotations

from chatnation.plugins.dashboard.api import View
from chatnation.plugins.sessions.api import questions as of_sessions
from chatnation.plugins.trends.address import ErrorsQuery, LifecycleQuery, PathsQuery, RetentionQuery
from chatnation.query import (
    Breakdown,
    Filter,
    Lifecycle,
    Measure,
    Paths,
    Range,
    Retention,
    Selection,
    Series,
    Stickiness,
    Timeseries,
)

EVENTS_OFFERED = 200
NODES = 6
"""Steps in a column of paths, the rest is other: more of them cannot be read."""
CODE = "properties.error_code"
PEOPLE, VISITS = Measure("persons"), Measure("sessions")


def act(name: str) -> Selection:
    """The events of that name; without one, any that somebody is behind."""
    return Selection((name,)) if name else of_sessions.ACTIVE


def retention(view: View[RetentionQuery], periods: int) -> Retention:
    """Who came back in so many periods, the first of which is that of the cohort."""
    return Retention(
        range=view.range,
        filters=view.conditions(),
        start=act(view.query.event),
        back=act(view.query.back),
        granularity=view.granularity,
        periods=periods,
        rule=view.query.rule,
        first_time=view.query.first_time,
    )


def lifecycle(view: View[LifecycleQuery]) -> Lifecycle:
    """New, returning, resurrecting and dormant people."""
    return Lifecycle(
        range=view.range, filters=view.conditions(), select=act(view.query.event), granularity=view.granularity
    )


def stickiness(view: View[LifecycleQuery]) -> Stickiness:
    """On how many days people came."""
    return Stickiness(range=view.range, filters=view.conditions(), select=act(view.query.event), granularity="day")


def active(view: View[LifecycleQuery]) -> Timeseries:
    """Active people by day, against the period before."""
    return Timeseries(
        range=view.range,
        filters=view.conditions(),
        series=(Series("persons", act(view.query.event), PEOPLE),),
        granularity="day",
        compare=True,
    )


def paths(view: View[PathsQuery]) -> Paths:
    """Ways from or to an event; without one, from wherever people came in."""
    query = view.query
    at = (Filter("page_path", "is", (query.page,)),) if query.page else ()
    anchor = Selection((query.event,) if query.event else (), at) if query.event or at else None
    return Paths(
        range=view.range,
        filters=view.conditions(),
        select=Selection(("page_view",)) if query.node == "page_path" else of_sessions.ACTIVE,
        node=query.node,
        start=None if query.towards else anchor,
        end=anchor if query.towards else None,
        depth=query.depth,
        nodes=NODES,
    )


def errors_over_time(view: View[ErrorsQuery]) -> Timeseries:
    """Errors by code."""
    return Timeseries(
        range=view.range,
        filters=view.conditions(),
        series=(Series("errors", _errors(view)),),
        granularity=view.granularity,
        by=CODE,
        limit=6,
    )


def error_figures(view: View[ErrorsQuery]) -> Timeseries:
    """Errors, the sessions and people affected, and all sessions, against the period before."""
    return Timeseries(
        range=view.range,
        filters=view.conditions(),
        series=(
            Series("errors", _errors(view)),
            Series("sessions", _errors(view), VISITS),
            Series("persons", _errors(view), PEOPLE),
            Series("all_sessions", of_sessions.ACTIVE, VISITS),
        ),
        granularity=view.granularity,
        compare=True,
    )


def errors_by(view: View[ErrorsQuery], *fields: str) -> Breakdown:
    """Errors, sessions and people by fields of the error, against the period before."""
    return Breakdown(
        range=view.range,
        filters=view.conditions(),
        series=(
            Series("errors", _errors(view)),
            Series("sessions", _errors(view), VISITS),
            Series("persons", _errors(view), PEOPLE),
        ),
        by=fields,
        limit=200,
        compare=True,
    )


def event_names(stretch: Range) -> Breakdown:
    """The names of events in a period, the most frequent first."""
    return Breakdown(range=stretch, by=("event_name",), series=(Series("events"),), limit=EVENTS_OFFERED)


def _errors(view: View[ErrorsQuery]) -> Selection:
    code = view.query.code
    return Selection(("app_error",), (Filter(CODE, "is", (code,)),) if code else ())
