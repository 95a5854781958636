"""The page about the AI agent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from chatnation import App, Page, quantity
from chatnation.plugins.ai_analytics import costs, definitions
from chatnation.plugins.ai_analytics.questions import AGENT, ERROR_TYPE, INTENT, LATENCY
from chatnation.plugins.ai_analytics.reports import Reports
from chatnation.plugins.dashboard.api import (
    AnalyticsPage,
    AnalyticsQuery,
    Card,
    Cell,
    Chart,
    Column,
    DataTable,
    Kpi,
    Series,
    View,
    conditions_of,
    distribution_chart,
    funnel_trend_chart,
    percent,
    percent_of,
    ranked_chart,
    trend_chart,
)
from chatnation.query import BreakdownAnswer, BreakdownRow, Line

PATH = "/ai-analytics"
AiView = View[AnalyticsQuery]
UNKNOWN = "Unknown"
NO_PRICE = "Models without a price have no cost. Prices are set under Settings, Plugins, by those who manage settings."
CLASSIFIED, FAILED, HANDED_OVER, RESOLVED = "ai.classification", "ai.error", "agent.handoff", "chat.resolved"


class AiAnalyticsPages:
    """`/ai-analytics`: what people want, how well the AI agent does, and how often a human has to help."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        cards = [
            Card("figures", "", figures, width=12),
            Card("intents", "Top intents", intents, metric="ai_analytics.intents"),
            Card("trend", "Classifications and errors", trend, metric="ai_analytics.trend"),
            Card(
                "containment",
                "Persons and hand-overs",
                handovers,
                width=12,
                section="Containment",
                metric="ai_analytics.handovers",
            ),
            Card(
                "latency-trend", "Latency", latency_trend, section="Speed and certainty", metric="ai_analytics.latency"
            ),
            Card("latency", "How long classifications take", latency, metric="ai_analytics.latency_buckets"),
            Card("confidence", "Confidence", confidence, metric="ai_analytics.confidence_trend"),
            Card("errors", "Errors", errors, metric="ai_analytics.errors"),
            Card("tokens", "Tokens and cost", tokens, width=12, section="Cost", metric="ai_analytics.tokens"),
            Card(
                "resolved", "Chats resolved by agents", resolved, section="Human agents", metric="ai_analytics.resolved"
            ),
            Card("resolution-time", "Resolution time", resolution_time, metric="ai_analytics.resolution_time"),
            Card("agents", "Top agents", agents, width=12, metric="ai_analytics.top_agents"),
        ]
        return AnalyticsPage(
            self._app,
            "ai_analytics",
            PATH,
            "AI & Intents",
            cards,
            query=AnalyticsQuery,
            metrics=definitions.METRICS,
            filters=("country", "channel"),
            needs="What an AI agent reports is counted here: ai.classification, ai.error, agent.handoff.",
        ).pages()


async def figures(view: AiView) -> list[Kpi]:
    """The cards at the top."""
    found, funnel = await Reports(view).figures_and_containment()
    previous = funnel.previous.steps if funnel.previous else ()
    contained, contained_before = _contained([step.reached for step in funnel.steps]), None
    if previous:
        contained_before = _contained([step.reached for step in previous])
    open_persons = funnel.steps[0].open
    classifications, errors = found.line("classifications"), found.line("error_rate")
    return [
        Kpi(
            "Classifications",
            classifications.total,
            definitions.CLASSIFICATIONS,
            found.before("classifications").total,
            link=view.url("/events", event_name=CLASSIFIED),
            trend=classifications.values,
            metric="ai_analytics.classifications",
        ),
        Kpi(
            "Containment",
            contained,
            definitions.CONTAINMENT,
            contained_before,
            unit="percent",
            detail=f"{open_persons:,} may still be handed over" if open_persons else "",
            link=view.url("/events", event_name=HANDED_OVER),
            metric="ai_analytics.containment",
        ),
        Kpi(
            "Error rate",
            percent(errors.total),
            definitions.ERROR_RATE,
            percent(found.before("error_rate").total),
            unit="percent",
            better="down",
            link=view.url("/events", event_name=FAILED),
            metric="ai_analytics.error_rate",
        ),
        Kpi(
            "Median latency",
            _seconds(found.line("p50").total),
            definitions.LATENCY,
            _seconds(found.before("p50").total),
            unit="seconds",
            better="down",
            detail=_ninety_five(found.line("p95")),
            metric="ai_analytics.latency",
        ),
        Kpi(
            "Confidence",
            percent(found.line("confidence").total),
            definitions.CONFIDENCE,
            percent(found.before("confidence").total),
            unit="percent",
            metric="ai_analytics.confidence",
        ),
    ]


async def intents(view: AiView) -> Chart:
    """Intents, with how sure the model was of each in the table."""
    answer = _in_percent(await Reports(view).intents(), place=1)
    return ranked_chart(
        answer,
        "Intent",
        names={"count": "Classifications", "confidence": "Confidence", "persons": "Persons"},
        units={"confidence": "percent"},
        link=lambda intent: view.url("/events", event_name=CLASSIFIED, **{INTENT: intent}) if intent else None,
    )


async def trend(view: AiView) -> Chart:
    """Classifications with errors on top."""
    return trend_chart(
        await Reports(view).figures(),
        view,
        kind="stacked",
        names={"classifications": "Classifications", "errors": "Errors"},
        only=("classifications", "errors"),
        link=lambda bucket, line: view.url_of(
            bucket.start, bucket.end, "/events", event_name=CLASSIFIED if line.series == "classifications" else FAILED
        ),
    )


async def handovers(view: AiView) -> Chart:
    """Persons by when they first met the AI agent, and the share that a human took over."""
    answer = await Reports(view).containment()
    return funnel_trend_chart(answer, view, entered="Persons", conversion="Handed over")


async def latency_trend(view: AiView) -> Chart:
    """Mean, median and 95th percentile."""
    found = await Reports(view).figures()
    chart = trend_chart(
        found,
        view,
        names={"latency": "Mean", "p50": "Median", "p95": "95th percentile"},
        only=("p50", "latency", "p95"),
    )
    return replace(chart, unit="seconds", series=[_scaled(series, 0.001) for series in chart.series])


async def latency(view: AiView) -> Chart:
    """A histogram."""
    answer = await Reports(view).latency()
    ignored = sum(answer.unusable.values())
    note = f"{ignored:,} values that are no numbers were left out." if ignored else ""
    return distribution_chart(
        answer,
        "Milliseconds",
        name="Classifications",
        link=lambda bucket: view.url("/events", event_name=CLASSIFIED, where=conditions_of(LATENCY, bucket)),
        note=note,
    )


async def confidence(view: AiView) -> Chart:
    """Mean, least and greatest."""
    found = await Reports(view).figures()
    chart = trend_chart(
        found,
        view,
        names={"confidence": "Mean", "least": "Least", "greatest": "Greatest"},
        only=("confidence", "least", "greatest"),
    )
    return replace(chart, unit="percent", series=[_scaled(series, 100) for series in chart.series])


async def errors(view: AiView) -> Chart:
    """Errors by type."""
    return ranked_chart(
        await Reports(view).errors(),
        "Type",
        names={"count": "Errors", "recovered": "Made good"},
        link=lambda kind: view.url("/events", event_name=FAILED, **{ERROR_TYPE: kind}) if kind else None,
    )


async def tokens(view: AiView) -> DataTable:
    """Models with their tokens and cost."""
    reports = Reports(view)
    settings = await reports.settings()
    used = costs.uses(await reports.tokens(), settings)
    return DataTable(
        columns=[
            Column("model", "Model"),
            Column("events", "Events", "number"),
            Column("prompt_tokens", "Tokens read", "number"),
            Column("completion_tokens", "Tokens written", "number"),
            Column("cost", f"Cost ({settings.currency})", settings.currency),
        ],
        rows=[[use.model, use.events, use.prompt, use.completion, use.cost] for use in used],
        total=[
            "All",
            sum(use.events for use in used),
            sum(use.prompt for use in used),
            sum(use.completion for use in used),
            costs.total_cost(used),
        ],
        sort="-prompt_tokens",
        note=NO_PRICE if any(use.cost is None for use in used) else "",
    )


async def resolved(view: AiView) -> Chart:
    """Resolved chats and the agents who did."""
    return trend_chart(
        await Reports(view).resolutions(),
        view,
        kind="combined",
        names={"resolved": "Resolved chats", "agents": "Agents"},
        only=("resolved", "agents"),
        lines=("agents",),
        link=lambda bucket, line: view.url_of(bucket.start, bucket.end, "/events", event_name=RESOLVED),
    )


async def resolution_time(view: AiView) -> Chart:
    """Mean, median and 95th percentile."""
    return trend_chart(
        await Reports(view).resolutions(),
        view,
        names={"seconds": "Mean", "p50": "Median", "p95": "95th percentile"},
        only=("p50", "seconds", "p95"),
        unit="seconds",
    )


async def agents(view: AiView) -> DataTable:
    """Human agents by what they resolved."""
    answer, names = await Reports(view).agents_with_names(50)

    def named(agent: str | None) -> Cell:
        return Cell(names.get(agent, agent) if agent else UNKNOWN, link=_agent_link(view, agent))

    return DataTable(
        columns=[
            Column("agent", "Agent"),
            Column("resolved", "Resolved chats", "number"),
            Column("seconds", "Mean time", "seconds"),
        ],
        rows=[[named(row.values[0]), *row.measures[:2]] for row in answer.rows if row.measures[0]],
        sort="-resolved",
    )


def _agent_link(view: AiView, agent: str | None) -> str | None:
    return view.url("/events", event_name=RESOLVED, **{AGENT: agent}) if agent else None


def _contained(reached: Sequence[int]) -> float | None:
    met, handed_over = reached
    return percent_of(met - handed_over, met)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _ninety_five(line: Line) -> str:
    return "" if line.total is None else f"95% within {quantity(line.total / 1000, 'seconds')}"


def _scaled(series: Series, factor: float) -> Series:
    return replace(series, values=[None if value is None else value * factor for value in series.values])


def _in_percent(answer: BreakdownAnswer, place: int) -> BreakdownAnswer:
    """The answer with one of its series, a share, in percent."""

    def row(one: BreakdownRow) -> BreakdownRow:
        measures = list(one.measures)
        measures[place] = percent(measures[place])
        return replace(one, measures=tuple(measures))

    other = row(answer.other) if answer.other else None
    return replace(answer, rows=tuple(map(row, answer.rows)), other=other, total=row(answer.total))
