"""From answers to charts: names, gaps, the period before, what is open, and the table behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from chatnation import quantity
from chatnation.plugins.dashboard import api
from chatnation.plugins.dashboard.api import Chart, Kpi, Series, Target, View
from chatnation.query import (
    BreakdownAnswer,
    BreakdownRow,
    Bucket,
    Cohort,
    DistributionAnswer,
    FunnelAnswer,
    FunnelBucket,
    FunnelStep,
    Granularity,
    IntervalsAnswer,
    IntervalsBucket,
    LifecycleAnswer,
    LifecycleBucket,
    Line,
    NumberBucket,
    OutcomeCounts,
    OutcomesAnswer,
    OutcomesBucket,
    PathLink,
    PathNode,
    PathsAnswer,
    RetentionAnswer,
    RetentionCell,
    Spread,
    StickinessAnswer,
    TimeseriesAnswer,
)

DAY = timedelta(days=1)
FIRST = datetime(2025, 6, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Cut:
    """As much of a view as charts need: how finely trends are cut."""

    granularity: Granularity = "day"
    compare: bool = True


VIEW = cast("View[Any]", Cut())


def days(count: int, first: datetime = FIRST, *, complete: int | None = None) -> tuple[Bucket, ...]:
    over = count if complete is None else complete
    return tuple(
        Bucket(first + day * DAY, first + (day + 1) * DAY, (first + day * DAY).date().isoformat(), day < over)
        for day in range(count)
    )


def table(chart: Chart) -> list[list[Any]]:
    return [list(chart.table.columns), *chart.table.plain()]


def test_a_trend_has_the_period_before_gaps_open_values_and_links() -> None:
    answer = TimeseriesAnswer(
        buckets=days(3, complete=2),
        lines=(Line("read", (4, None, 2), 6), Line("sent", (8, 0, 5), 13)),
        previous_buckets=days(2, FIRST - 2 * DAY),
        previous=(Line("read", (1, 2), 3), Line("sent", (3, 4), 7)),
    )
    chart = api.trend_chart(
        answer,
        VIEW,
        names={"sent": "Sent"},
        only=["sent", "read"],
        link=lambda bucket, line: f"/{line.series}/{bucket.label}",
        targets=[Target("Goal", 5)],
    )
    assert [series.name for series in chart.series] == ["Sent", "Sent, before", "read", "read, before"]
    assert chart.series[1].of == "Sent"
    assert list(chart.series[0].open or ()) == [False, False, True]
    assert (chart.series[0].links or [])[0] == "/sent/2025-06-01"
    assert chart.categories == ["1 Jun", "2 Jun", "3 Jun"]
    assert table(chart) == [
        ["Day", "Sent", "Sent, before", "read", "read, before"],
        ["2025-06-01", 8, 3, 4, 1],
        ["2025-06-02", 0, 4, None, 2],
        ["2025-06-03", 5, None, 2, None],
    ]
    assert len(api.trend_chart(answer, VIEW, compare=False).series) == 2
    assert len(api.trend_chart(answer, VIEW, kind="stacked").series) == 2
    spec = chart.spec
    assert spec["series"][2]["values"] == [4, None, 2]
    assert spec["targets"] == [{"label": "Goal", "value": 5}]


def test_the_lines_of_a_breakdown_are_called_by_their_values() -> None:
    lines = (Line("n", (1,), 1, "KE"), Line("n", (2,), 2, None), Line("n", (3,), 3, other=True))
    chart = api.trend_chart(TimeseriesAnswer(days(1), lines), VIEW, kind="stacked", rename=api.country_name)
    assert [series.name for series in chart.series] == ["Kenya", "Unknown", "Other"]
    many = TimeseriesAnswer(days(1), (*lines, Line("m", (1,), 1, "KE")))
    assert api.trend_chart(many, VIEW).series[0].name == "n: KE"


@pytest.mark.parametrize(
    ("granularity", "start", "end", "label"),
    [
        ("hour", datetime(2025, 6, 1, 14, tzinfo=UTC), datetime(2025, 6, 1, 15, tzinfo=UTC), "1 Jun 14:00"),
        ("day", FIRST, FIRST + DAY, "1 Jun"),
        ("week", datetime(2025, 6, 2, tzinfo=UTC), datetime(2025, 6, 9, tzinfo=UTC), "2–8 Jun"),  # noqa: RUF001
        ("week", datetime(2025, 6, 30, tzinfo=UTC), datetime(2025, 7, 7, tzinfo=UTC), "30 Jun–6 Jul"),  # noqa: RUF001
        ("month", FIRST, datetime(2025, 7, 1, tzinfo=UTC), "Jun 2025"),
    ],
)
def test_a_bucket_is_called_by_its_width(granularity: Granularity, start: datetime, end: datetime, label: str) -> None:
    assert api.bucket_label(Bucket(start, end, ""), granularity) == label


def test_buckets_of_several_years_name_the_year() -> None:
    assert api.bucket_labels(days(2, datetime(2024, 12, 31, tzinfo=UTC)), "day") == ["31 Dec 2024", "1 Jan 2025"]


BROWSERS = BreakdownAnswer(
    series=("sessions", "rate"),
    rows=(BreakdownRow(("Chrome",), (60, 0.5)), BreakdownRow((None,), (30, None))),
    other=BreakdownRow((None,), (10, 0.1)),
    total=BreakdownRow((None,), (100, 0.4)),
)


def test_a_ranking_has_a_row_for_the_rest_that_leads_nowhere() -> None:
    chart = api.ranked_chart(BROWSERS, "Browser", link=lambda value: f"/{value or 'unknown'}", units={"rate": "score"})
    assert chart.categories == ["Chrome", "Unknown", "Other"]
    assert chart.series[0].links == ["/Chrome", "/unknown", None]
    assert table(chart)[1:] == [["Chrome", 60, 0.5], ["", 30, None], ["other", 10, 0.1]]
    assert len(api.ranked_chart(BROWSERS, "Browser", other=False, only=["sessions"]).categories) == 2


def test_a_donut_has_shares_in_its_table() -> None:
    assert table(api.share_chart(BROWSERS, "Browser", name="Sessions")) == [
        ["Browser", "Sessions", "Share"],
        ["Chrome", 60, 60],
        ["", 30, 30],
        ["other", 10, 10],
    ]


def test_the_hours_of_a_week_begin_with_monday_and_are_all_there() -> None:
    rows = (BreakdownRow(("0", "23"), (5,)), BreakdownRow(("1", "7"), (3,)))
    answer = BreakdownAnswer(("n",), rows, None, BreakdownRow((None, None), (8,)))
    chart = api.week_heatmap(answer, link=lambda weekday, hour: f"/{weekday}/{hour}", timezone="Africa/Nairobi")
    assert [series.name for series in chart.series][0::6] == ["Monday", "Sunday"]
    assert chart.series[0].values[7] == 3
    assert chart.series[6].values[23] == 5
    assert sum(value or 0 for series in chart.series for value in series.values) == 8
    assert (chart.series[6].links or [])[23] == "/0/23"


def test_a_histogram_names_its_ranges_in_the_unit_of_the_numbers() -> None:
    buckets = (NumberBucket(None, 60, 3), NumberBucket(60, 300, 4), NumberBucket(300, None, 1))
    chart = api.distribution_chart(DistributionAnswer(Spread(8), buckets), "Time", unit="seconds")
    assert chart.categories == ["under 1m 00s", "1m 00s–5m 00s", "5m 00s or more"]  # noqa: RUF001
    assert chart.series[0].values == [3, 4, 1]


def test_lengths_of_time_are_a_trend_with_gaps_and_a_target() -> None:
    today, tomorrow = days(2, complete=1)
    answer = IntervalsAnswer(
        Spread(1, p50=40, p90=90),
        starts=2,
        unanswered=1,
        open=0,
        buckets=(NumberBucket(0, None, 1),),
        trend=(IntervalsBucket(today, Spread(1, p50=40, p90=90)), IntervalsBucket(tomorrow, Spread(0))),
    )
    chart = api.intervals_trend_chart(answer, VIEW, targets=[Target("Goal", 300)])
    assert [(series.name, series.values) for series in chart.series] == [
        ("Median", [40, None]),
        ("90th percentile", [90, None]),
    ]
    assert not chart.empty
    assert api.intervals_chart(answer).categories == ["0s or more"]


def funnel(*reached: int, **more: Any) -> FunnelAnswer:
    steps = tuple(FunnelStep(f"Step {place}", count, None, None, 0, 0) for place, count in enumerate(reached))
    return FunnelAnswer(steps, None, **more)


def test_a_funnel_tells_shares_and_losses_in_its_table() -> None:
    chart = api.funnel_chart(funnel(200, 150, 0, previous=funnel(100, 50, 25)), compare=True, link=lambda n: f"/{n}")
    assert table(chart) == [
        ["Step", "Persons", "Persons, before", "Of first step", "Of step before", "Lost before it"],
        ["Step 0", 200, 100, 100, None, None],
        ["Step 1", 150, 50, 75, 75, 50],
        ["Step 2", 0, 25, 0, 0, 150],
    ]
    assert table(api.funnel_chart(funnel(0, 0)))[2] == ["Step 1", 0, None, None, 0]
    assert api.funnel_chart(funnel(0, 0)).empty


def test_the_trend_of_a_funnel_marks_entries_that_can_still_convert() -> None:
    first, second = days(2)
    answer = funnel(
        3, 1, trend=(FunnelBucket(first, 2, 1, 0, 0.5, mature=True), FunnelBucket(second, 1, 0, 1, None, mature=False))
    )
    chart = api.funnel_trend_chart(answer, VIEW)
    assert [(series.values, series.open) for series in chart.series] == [
        ([2, 1], [False, True]),
        ([50, None], [False, True]),
    ]


def test_outcomes_are_parts_of_all_attempts() -> None:
    def counts(done: int, left: int, none: int, still: int) -> OutcomeCounts:
        return OutcomeCounts(done + left + none + still, {"done": done, "left": left}, none, still)

    answer = OutcomesAnswer(
        counts(3, 0, 2, 1), tuple(map(OutcomesBucket, days(2), (counts(1, 0, 2, 0), counts(2, 0, 0, 1))))
    )
    donut = api.outcomes_chart(answer, names={"done": "Completed"})
    assert donut.categories == ["Completed", "left", "No outcome", "Still open"]
    assert donut.series[0].values == [3, 0, 2, 1]
    trend = api.outcomes_trend_chart(answer, VIEW, share=True)
    assert [series.name for series in trend.series] == ["done", "No outcome", "Still open"]
    assert table(trend)[1] == ["2025-06-01", 1, pytest.approx(100 / 3), 2, pytest.approx(200 / 3), 0, 0]


def test_a_cohort_has_open_cells_and_none_for_what_is_to_come() -> None:
    answer = RetentionAnswer(
        periods=("Week 0", "Week 1"),
        cohorts=(
            Cohort(days(1)[0], 10, (RetentionCell(10, 1.0, open=False), RetentionCell(4, 0.4, open=True))),
            Cohort(days(1, FIRST + 7 * DAY)[0], 0, (RetentionCell(0, None, open=True),)),
        ),
        average=(1.0, 0.4),
    )
    chart = api.retention_chart(answer, "week")
    assert [list(series.values) for series in chart.series] == [[100, 40], [None, None]]
    assert chart.series[0].open == [False, True]
    assert [row[1:] for row in table(chart)] == [["Size", "Week 0", "Week 1"], [10, 100, 40], [0, None, None]]
    linked = api.retention_chart(answer, "week", link=lambda cohort, column: f"/{cohort.bucket.label}/{column}")
    assert [cell.link for cell in linked.table.rows[0]] == [
        None, "/2025-06-01/None", "/2025-06-01/0", "/2025-06-01/1",
    ]  # fmt: skip
    assert [cell.link for cell in linked.table.rows[1]] == [None, "/2025-06-08/None", "/2025-06-08/0", None]


def test_lifecycle_draws_dormant_persons_below_the_line() -> None:
    chart = api.lifecycle_chart(LifecycleAnswer((LifecycleBucket(days(1)[0], 1, 2, 3, 4),)), VIEW)
    assert [series.values for series in chart.series] == [[1], [2], [3], [-4]]
    linked = api.lifecycle_chart(
        LifecycleAnswer((LifecycleBucket(days(1)[0], 1, 2, 3, 4),)),
        VIEW,
        link=lambda point, state: f"/{point.bucket.label}/{state}",
    )
    assert linked.series[3].links == ["/2025-06-01/dormant"]


def test_stickiness_counts_from_one() -> None:
    chart = api.stickiness_chart(StickinessAnswer(3, (5, 0, 2), 7))
    assert list(zip(chart.categories, chart.series[0].values, strict=True)) == [("1", 5), ("2", 0), ("3", 2)]
    linked = api.stickiness_chart(StickinessAnswer(3, (5, 0, 2), 7), link=lambda number: f"/{number}")
    assert linked.series[0].links == ["/1", "/2", "/3"]


def test_paths_count_columns_from_the_left() -> None:
    answer = PathsAnswer(
        4,
        (PathNode(-1, "home", 3), PathNode(0, "pay", 3, ended=3), PathNode(-1, None, 1, other=True)),
        (PathLink(0, 1, 3),),
    )
    chart = api.paths_chart(answer, link=lambda source, target: f"/{source.value}/{target.value}")
    assert [(node.name, node.column) for node in chart.nodes] == [("home", 0), ("pay", 1), ("Other", 0)]
    assert table(chart)[1] == [1, "home", "pay", 3, 100]
    assert chart.spec["flows"] == [{"source": 0, "target": 1, "value": 3, "link": "/home/pay"}]
    linked = api.paths_chart(answer, node_link=lambda node: f"/{node.value}")
    assert [node["link"] for node in linked.spec["nodes"]] == ["/home", "/pay", "/None"]
    assert [cell.link for cell in linked.table.rows[0]] == [None, "/home", "/pay", None, None]
    assert api.paths_chart(PathsAnswer(0, (), ())).empty


def test_nothing_counted_is_empty_but_a_measured_zero_is_not() -> None:
    def chart(unit: str, *values: float | None) -> Chart:
        return Chart(kind="bars", unit=unit, categories=["a"] * len(values), series=[Series("n", values)])

    assert chart("number", 0, None).empty
    assert chart("percent", None).empty
    assert not chart("percent", 0).empty
    assert not chart("seconds", None, 0).empty


def test_a_chart_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(ValueError, match="2 values for 1 categories"):
        Chart(kind="bars", categories=["a"], series=[Series("n", [1, 2])])
    with pytest.raises(ValueError, match="'parsec' is no unit"):
        Chart(kind="bars", unit="parsec")
    with pytest.raises(ValueError, match="'minutes' is no unit"):
        Kpi("Time", 1, "", unit="minutes")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1234567.89, "number", "1,234,567.9"),
        (None, "seconds", "–"),  # noqa: RUF001
        (12.345, "percent", "12.3%"),
        (0, "seconds", "0s"),
        (0.35, "seconds", "350ms"),
        (2.5, "seconds", "2.5s"),
        (125, "seconds", "2m 05s"),
        (3900, "seconds", "1h 05m"),
        (100_000, "seconds", "1d 3h"),
        (-90, "seconds", "-1m 30s"),
        (4.345, "score", "4.34"),
        (0.0123, "USD", "USD 0.0123"),
        (1234.5, "KES", "KES 1,234.50"),
    ],
)
def test_quantities_are_written_for_people(value: float | None, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_a_change_is_good_news_where_it_goes_the_better_way() -> None:
    assert Kpi("n", 120, "", 100).tone == "good"
    assert Kpi("n", 120, "", 100, better="down").tone == "bad"
    assert Kpi("n", 3, "", 0, better="down").tone == "bad"
    assert Kpi("n", 3, "", 0).is_new
    assert Kpi("n", 0, "", 0).change is None
    assert Kpi("n", None, "", 4).change is None
    assert Kpi("n", 5, "", None).tone == "neutral"


def test_a_small_line_has_gaps_where_there_are_no_values() -> None:
    assert Kpi("n", 1, "", trend=[0, 1, None, 1, 0]).sparkline == "M0.0 23.0L25.0 1.0M75.0 1.0L100.0 23.0"
    assert Kpi("n", 1, "", trend=[None, 3]).sparkline == ""
    assert Kpi("n", 0, "", trend=[0, 0]).sparkline == "", "a line of zeros tells nothing"
