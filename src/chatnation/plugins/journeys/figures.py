"""From numbers to key figures, charts and tables, and where each of them leads."""

from __future__ import annotations

from collections.abc import Sequence

from chatnation.plugins.dashboard.api import Cell, Chart, Column, DataTable, Kpi, Series, bucket_labels
from chatnation.plugins.journeys import definitions
from chatnation.plugins.journeys.address import PATH, JourneysView, Outcome, told_url
from chatnation.plugins.journeys.agents import Agent
from chatnation.plugins.journeys.counts import Handoffs, Journeys, NamedJourneys, Ranked, half_change
from chatnation.plugins.journeys.labels import UNKNOWN
from chatnation.plugins.journeys.questions import AGENT_FIELD, ASSISTED, HANDOFF
from chatnation.query import OutcomesAnswer, OutcomesBucket, TimeseriesAnswer

FILTERED = "Filters concern the hand-off itself, not the journey."
_NO_JOURNEY = "No journey that began in this period is over."


def key_figures(view: JourneysView, found: OutcomesAnswer, chats: TimeseriesAnswer) -> list[Kpi]:
    """The cards at the top, each with the period before."""
    now = Journeys.of(found.total)
    before = Journeys.of(found.previous) if found.previous else Journeys()
    bot_chats = chats.line("bot_chats")
    points = [Journeys.of(point.counts) for point in found.trend]
    return [
        Kpi(
            "Total journeys",
            now.total,
            definitions.TOTAL,
            before.total,
            link=told_url(view, "assisted", "completed", "abandoned"),
            detail=f"{now.in_progress:,} more in progress" if now.in_progress else "",
            trend=[one.total for one in points],
            metric="journeys.total",
        ),
        Kpi(
            "Assisted rate",
            now.share(now.assisted),
            definitions.ASSISTED,
            before.share(before.assisted),
            "percent",
            told_url(view, "assisted"),
            f"{now.assisted:,} assisted",
            better="down",
            trend=[one.share(one.assisted) for one in points],
            metric="journeys.assisted",
        ),
        Kpi(
            "Completion rate",
            now.share(now.completed),
            definitions.COMPLETED,
            before.share(before.completed),
            "percent",
            told_url(view, "completed"),
            f"{now.completed:,} completed",
            trend=[one.share(one.completed) for one in points],
            metric="journeys.completed",
        ),
        Kpi(
            "Abandonment rate",
            now.share(now.abandoned),
            definitions.ABANDONED,
            before.share(before.abandoned),
            "percent",
            told_url(view, "abandoned"),
            f"{now.abandoned:,} abandoned",
            better="down",
            trend=[one.share(one.abandoned) for one in points],
            metric="journeys.abandoned",
        ),
        Kpi(
            "Bot chat only",
            bot_chats.total,
            definitions.BOT_CHATS,
            chats.before("bot_chats").total,
            link=view.url("/sessions", channel=["whatsapp"], journey=None, started_journey=False),
            better=None,
            trend=bot_chats.values,
            metric="journeys.bot_chats",
        ),
    ]


def outcomes_chart(view: JourneysView, found: OutcomesAnswer) -> Chart:
    """What became of the journeys, as parts of a whole."""
    now = Journeys.of(found.total)
    parts: list[tuple[str, Outcome, int]] = [
        ("Completed", "completed", now.completed),
        ("Assisted", "assisted", now.assisted),
        ("In progress", "in_progress", now.in_progress),
        ("Abandoned", "abandoned", now.abandoned),
    ]
    return Chart(
        kind="donut",
        category="Outcome",
        categories=[label for label, _, _ in parts],
        keys=[key for _, key, _ in parts],
        series=[Series("Journeys", [count for _, _, count in parts], [told_url(view, key) for _, key, _ in parts])],
        empty_text="No journey began in this period.",
    )


def self_serve_chart(view: JourneysView, found: OutcomesAnswer) -> Chart:
    """Journeys without an agent and with one, over time."""
    points = [(point, Journeys.of(point.counts)) for point in found.trend]
    unfinished = [bool(journeys.in_progress) or not point.bucket.complete for point, journeys in points]

    def series(name: str, values: Sequence[int], *outcomes: Outcome) -> Series:
        return Series(name, values, [_part_url(view, point, *outcomes) for point, _ in points], open=unfinished)

    return Chart(
        kind="stacked",
        category=view.granularity.capitalize(),
        categories=bucket_labels([point.bucket for point, _ in points], view.granularity),
        keys=[point.bucket.label for point, _ in points],
        series=[
            series("Self-serve", [journeys.self_serve for _, journeys in points], "completed", "abandoned"),
            series("Assisted", [journeys.assisted for _, journeys in points], "assisted"),
        ],
        empty_text=_NO_JOURNEY,
    )


def rate_chart(view: JourneysView, found: OutcomesAnswer, before: OutcomesAnswer | None) -> Chart:
    """The assisted rate over time, and how its second half differs from the first."""
    points = [Journeys.of(point.counts) for point in found.trend]
    rates = [one.share(one.assisted) for one in points]
    series = [
        Series(
            "Hand-off rate",
            rates,
            [_part_url(view, point, "assisted") for point in found.trend],
            open=[bool(point.counts.open) or not point.bucket.complete for point in found.trend],
        )
    ]
    if before is not None:
        earlier = [one.share(one.assisted) for one in (Journeys.of(point.counts) for point in before.trend)]
        fitted = [*earlier[: len(rates)], *[None] * (len(rates) - len(earlier))]
        series.append(Series("Hand-off rate, before", fitted, previous=True, of="Hand-off rate"))
    change = half_change(points)
    total = Journeys.of(found.total)
    share = total.share(total.assisted)
    told = f"{share:.1f}% in all; second half against the first: {change:+.1f}%" if share is not None else ""
    return Chart(
        kind="lines",
        category=view.granularity.capitalize(),
        categories=bucket_labels([point.bucket for point in found.trend], view.granularity),
        keys=[point.bucket.label for point in found.trend],
        series=series,
        unit="percent",
        note=told,
        empty_text=_NO_JOURNEY,
    )


def journeys_table(view: JourneysView, rows: Sequence[NamedJourneys]) -> DataTable:
    """Journeys by name; every number leads to the journeys behind it."""

    def cell(row: NamedJourneys, value: int, *outcomes: Outcome) -> Cell:
        return Cell(value, link=told_url(view, *outcomes, name=row.values[:50]) if value else None)

    total = sum((row.journeys for row in rows), Journeys())
    return DataTable(
        columns=[
            Column("journey", "Journey"),
            Column("started", "Started", "number"),
            Column("completed", "Completed", "number", "With an end and without an agent."),
            Column("dropped_off", "Dropped off", "number"),
            Column("assisted", "Assisted", "number"),
            Column("in_progress", "In progress", "number"),
            Column("ended", "Ended in all", "number", "Came to an end, with or without an agent."),
            Column("completion_rate", "Completion rate", "percent"),
            Column("assisted_rate", "Assisted rate", "percent"),
        ],
        rows=[
            [
                row.label,
                cell(row, row.journeys.started),
                cell(row, row.journeys.completed, "completed"),
                cell(row, row.journeys.abandoned, "abandoned"),
                cell(row, row.journeys.assisted, "assisted"),
                cell(row, row.journeys.in_progress, "in_progress"),
                row.ended,
                row.journeys.share(row.journeys.completed),
                row.journeys.share(row.journeys.assisted),
            ]
            for row in rows
        ],
        total=[
            "All",
            total.started,
            total.completed,
            total.abandoned,
            total.assisted,
            total.in_progress,
            sum(row.ended for row in rows),
            total.share(total.completed),
            total.share(total.assisted),
        ],
        sort="-started",
    )


def ranking_chart(view: JourneysView, category: str, field: str, found: Sequence[Ranked], most: int) -> Chart:
    """The most frequent values of hand-offs, and the rest together."""
    shown, rest = found[:most], found[most:]
    links: list[str | None] = [handoffs_url(view, **{field: list(one.values[:50])}) for one in shown]
    values = [one.count for one in shown]
    if rest:
        values.append(sum(one.count for one in rest))
        links.append(handoffs_url(view))
    return Chart(
        kind="ranked",
        category=category,
        categories=[*(one.label for one in shown), *([f"{len(rest)} others"] if rest else [])],
        keys=[*(one.name for one in shown), *(["other"] if rest else [])],
        series=[Series("Hand-offs", values, links)],
        note=FILTERED if view.conditions() else "",
        empty_text=f"No chat was handed to an agent in this period. {FILTERED if view.conditions() else ''}".strip(),
    )


def time_figures(view: JourneysView, found: OutcomesAnswer) -> list[Kpi]:
    """How long people try before an agent takes over."""
    now, before = found.took[ASSISTED], found.previous_took[ASSISTED]
    told = (("Median", now.p50, before.p50), ("Average", now.mean, before.mean), ("95% within", now.p95, before.p95))
    return [
        Kpi(
            f"{label} time to hand-off" if label != "95% within" else "95% are handed over within",
            value,
            definitions.TIME,
            earlier,
            "seconds",
            told_url(view, "assisted"),
            better="down",
            metric="journeys.time_to_handoff",
        )
        for label, value, earlier in told
    ]


def agents_table(view: JourneysView, agents: Sequence[Agent]) -> DataTable:
    """Hand-offs by agent."""
    return DataTable(
        columns=[
            Column("agent", "Agent"),
            Column("agent_id", "Agent's id"),
            Column("handoffs", "Hand-offs", "number"),
            Column("persons", "Persons", "number"),
        ],
        rows=[
            [
                agent.name or agent.agent_id or "Not named",
                agent.agent_id or "",
                Cell(agent.handoffs, link=handoffs_url(view, **{AGENT_FIELD: agent.agent_id or UNKNOWN})),
                agent.persons,
            ]
            for agent in agents
        ],
        sort="-handoffs",
    )


def sums_table(view: JourneysView, journeys: Journeys, handoffs: Handoffs) -> DataTable:
    """How journeys and hand-offs add up."""
    rows: list[list[Cell | str | float | None]] = [
        [
            "Journeys started",
            Cell(journeys.started, link=told_url(view)),
            "completed + abandoned + assisted + in progress",
        ],
        ["of which over", journeys.total, "the total of all rates"],
        ["Hand-offs to an agent", Cell(handoffs.total, link=handoffs_url(view)), "in journeys + without one"],
        ["of which in journeys", handoffs.in_journeys, "in those of this period, or begun just before it"],
        ["of which without a journey", handoffs.without_journey, "assisted chats: bot chats that went to an agent"],
    ]
    return DataTable(
        columns=[Column("what", "What"), Column("count", "Count", "number"), Column("so", "So")],
        rows=rows if journeys.started or handoffs.total else [],
        page_size=10,
    )


def handoffs_url(view: JourneysView, **more: object) -> str:
    """The hand-offs themselves."""
    return view.url("/events", event_name=HANDOFF, **more)


def _part_url(view: JourneysView, point: OutcomesBucket, *outcomes: Outcome) -> str:
    bucket = point.bucket
    return view.url_of(bucket.start, bucket.end, PATH, outcome=list(outcomes), name=None, offset=None) + "#card-told"
