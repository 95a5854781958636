"""From answers of the engine to those of the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from chatnation.plugins.dashboard.api import Period, PeriodAnswer, percent_change
from chatnation.plugins.overview import answers
from chatnation.query import BreakdownAnswer, Line, TimeseriesAnswer

UNKNOWN = "Unknown"


def overview(
    period: Period, visits: TimeseriesAnswer, devices: BreakdownAnswer, week: BreakdownAnswer
) -> answers.Overview:
    """Everything of the first address."""
    now, before = _figures(visits.lines), _figures(visits.previous)
    cells = {tuple(map(int, row.values)): _whole(row.measures[0]) for row in week.rows}  # type: ignore[arg-type]
    return answers.Overview(
        **now.model_dump(),
        period=PeriodAnswer.of(period),
        previous=before,
        change=_changes(now, before),
        daily_sessions=days(visits, "sessions"),
        device_breakdown=[answers.DeviceAnswer(device=device, count=count) for device, count in counts(devices)],
        heatmap=[
            answers.HeatmapCell(day=day, hour=hour, count=cells.get((day, hour), 0))
            for day in range(7)
            for hour in range(24)
        ],
    )


def days(answer: TimeseriesAnswer, series: str) -> list[answers.DayAnswer]:
    """A series by day."""
    return [
        answers.DayAnswer(date=date.fromisoformat(bucket.label), count=_whole(value))
        for bucket, value in zip(answer.buckets, answer.line(series).values, strict=True)
    ]


def counts(answer: BreakdownAnswer) -> list[tuple[str, int]]:
    """Values and how often they are there, the most frequent first."""
    return [(row.values[0] or UNKNOWN, _whole(row.measures[0])) for row in answer.rows]


def page_paths(answer: BreakdownAnswer) -> list[answers.PagePath]:
    """Pages with views and sessions."""
    found = []
    for row in answer.rows:
        views, sessions = row.measures
        path = row.values[0] or UNKNOWN
        found.append(answers.PagePath(page_path=path, count=_whole(views), unique_sessions=_whole(sessions)))
    return found


def identity(period: Period, visits: TimeseriesAnswer) -> answers.UserIdentity:
    """How many persons are known by more than their browser."""
    total, identified = _whole(visits.line("persons").total), _whole(visits.line("identified").total)
    return answers.UserIdentity(
        period=PeriodAnswer.of(period),
        total=total,
        identified=identified,
        anonymous=total - identified,
        identified_percent=round(100 * identified / total, 1) if total else 0.0,
    )


def _figures(lines: Sequence[Line]) -> answers.Figures:
    found = {line.series: line.total for line in lines}
    sessions, conversions = _whole(found["sessions"]), _whole(found["conversions"])
    return answers.Figures(
        total_sessions=sessions,
        journey_sessions=_whole(found["journeys"]),
        total_users=_whole(found["persons"]),
        identified_users=_whole(found["identified"]),
        page_views=_whole(found["page_views"]),
        conversions=conversions,
        conversion_rate=conversions / sessions if sessions else 0.0,
        avg_session_duration=found["duration"] or 0.0,
    )


def _changes(now: answers.Figures, before: answers.Figures) -> answers.Changes:
    return answers.Changes(
        **{name: percent_change(getattr(now, name), getattr(before, name)) for name in answers.Figures.model_fields}
    )


def _whole(value: float | None) -> int:
    return int(value or 0)
