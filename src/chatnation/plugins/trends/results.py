"""From answers of the engine to those of the API."""

from __future__ import annotations

from datetime import date
from typing import Any

from chatnation.plugins.dashboard.api import Period, PeriodAnswer, percent_change
from chatnation.plugins.trends import answers
from chatnation.plugins.trends.address import Width
from chatnation.query import Bucket, Line, TimeseriesAnswer


def sessions(answer: TimeseriesAnswer, period: Period, width: Width) -> answers.SessionsTrend:
    """How many sessions began."""
    journeys, every = answer.line("journeys"), answer.line("sessions")
    total, total_before = whole(journeys.total), whole(answer.before("journeys").total)
    sessions_total, sessions_before = whole(every.total), whole(answer.before("sessions").total)
    return answers.SessionsTrend(
        **_about(period, width),
        data=[
            answers.SessionsPoint(**point(bucket), count=whole(count), sessions=whole(all_))
            for bucket, count, all_ in zip(answer.buckets, journeys.values, every.values, strict=True)
        ],
        summary=answers.SessionsSummary(
            total=total,
            previous_total=total_before,
            percent_change=percent_change(total, total_before),
            total_sessions=sessions_total,
            previous_total_sessions=sessions_before,
            sessions_percent_change=percent_change(sessions_total, sessions_before),
        ),
    )


def conversions(answer: TimeseriesAnswer, period: Period, width: Width) -> answers.ConversionsTrend:
    """How many sessions converted."""
    every, converted = answer.line("sessions"), answer.line("conversions")
    return answers.ConversionsTrend(
        **_about(period, width),
        data=[
            answers.ConversionsPoint(
                **point(bucket),
                total_sessions=whole(all_),
                conversions=whole(some),
                conversion_rate=whole(some) / all_ if all_ else 0.0,
            )
            for bucket, all_, some in zip(answer.buckets, every.values, converted.values, strict=True)
        ],
        summary=answers.ConversionsSummary(
            total_sessions=whole(every.total),
            total_conversions=whole(converted.total),
            overall_conversion_rate=round(answer.line("conversion_rate").total or 0, 1),
            previous_conversion_rate=round(answer.before("conversion_rate").total or 0, 1),
        ),
    )


def growth(answer: TimeseriesAnswer, period: Period, width: Width) -> answers.GrowthTrend:
    """How many persons were new."""
    everybody, new, returning = (answer.line(name) for name in ("persons", "new", "returning"))
    total, newcomers = whole(everybody.total), whole(new.total)
    before = whole(answer.before("persons").total)
    return answers.GrowthTrend(
        **_about(period, width),
        data=[
            answers.GrowthPoint(
                **point(bucket), total_users=whole(all_), new_users=whole(first), returning_users=whole(again)
            )
            for bucket, all_, first, again in zip(
                answer.buckets, everybody.values, new.values, returning.values, strict=True
            )
        ],
        summary=answers.GrowthSummary(
            total_new_users=newcomers,
            total_returning_users=whole(returning.total),
            total_users=total,
            new_user_percent=round(100 * newcomers / total, 1) if total else 0.0,
            previous_total_users=before,
            percent_change=percent_change(total, before),
        ),
    )


def durations(answer: TimeseriesAnswer, period: Period, width: Width) -> answers.DurationTrend:
    """How long sessions were."""
    count, mean, median = (answer.line(name) for name in ("sessions", "mean", "median"))
    return answers.DurationTrend(
        **_about(period, width),
        data=[
            answers.DurationPoint(
                **point(bucket),
                avg_duration_seconds=average,
                median_duration_seconds=middle,
                session_count=whole(number),
            )
            for bucket, number, average, middle in zip(
                answer.buckets, count.values, mean.values, median.values, strict=True
            )
        ],
        summary=answers.DurationSummary(
            overall_avg_duration_seconds=mean.total,
            overall_median_duration_seconds=median.total,
            total_sessions_analyzed=whole(count.total),
            previous_avg_duration_seconds=answer.before("mean").total,
        ),
    )


def active(answer: TimeseriesAnswer, period: Period, width: Width) -> answers.ActiveTrend:
    """How many persons were active each day."""
    line = answer.line("persons")
    counts = [whole(value) for value in line.values]
    average, before = mean_of(line), mean_of(answer.before("persons"))
    peak = max(counts, default=0)
    return answers.ActiveTrend(
        **_about(period, width),
        data=[
            answers.ActivePoint(date=_day(bucket), count=count, complete=bucket.complete)
            for bucket, count in zip(answer.buckets, counts, strict=True)
        ],
        summary=answers.ActiveSummary(
            avg_daily_active_users=average,
            previous_avg_daily_active_users=before,
            percent_change=percent_change(average, before),
            peak_dau=peak,
            peak_date=_day(answer.buckets[counts.index(peak)]) if peak else None,
            total_data_points=len(counts),
            total_users=whole(line.total),
        ),
    )


def mean_of(line: Line) -> float:
    """The mean of a line over all of its buckets."""
    return sum(value or 0 for value in line.values) / len(line.values) if line.values else 0.0


def whole(value: float | None) -> int:
    """A count."""
    return int(value or 0)


def point(bucket: Bucket) -> dict[str, Any]:
    """What every point tells."""
    return {"period": _day(bucket), "complete": bucket.complete}


def _day(bucket: Bucket) -> date:
    return date.fromisoformat(bucket.label[:10])


def _about(period: Period, width: Width) -> dict[str, Any]:
    return {
        "granularity": width,
        "start_date": period.first_day,
        "end_date": period.last_day,
        "period": PeriodAnswer.of(period),
    }
