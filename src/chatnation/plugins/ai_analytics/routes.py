"""The API about the AI agent, under `/api/ai-analytics`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, Field
from starlette.requests import Request

from chatnation import App, Route
from chatnation.plugins.ai_analytics import answers, costs
from chatnation.plugins.ai_analytics.questions import CONFIDENCE, LATENCY
from chatnation.plugins.ai_analytics.reports import Reports
from chatnation.plugins.dashboard.api import AnalyticsQuery, PeriodAnswer, View, percent_change
from chatnation.query import Line, TimeseriesAnswer

VIEW = "analytics.view"
PATH = "/ai-analytics"
UNKNOWN = "unknown"


class TopAgentsQuery(AnalyticsQuery):
    """How many agents to list."""

    limit: int = Field(10, ge=1, le=100, description="Agents in the list.")


class AiAnalyticsRoutes:
    """Key figures, breakdowns and trends."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def routes(self) -> list[Route]:
        def get(path: str, handler: Any, response: type[BaseModel], query: type[BaseModel] = AnalyticsQuery) -> Route:
            return Route("GET", path, handler, VIEW, query=query, response=response)

        return [
            get("/stats", self.stats, answers.Stats),
            get("/intents", self.intents, answers.Intents),
            get("/latency", self.latency, answers.Latency),
            get("/errors", self.errors, answers.Errors),
            get("/containment", self.containment, answers.Containment),
            get("/tokens", self.tokens, answers.Tokens),
            get("/trends/classifications", self.classifications, answers.ClassificationTrend),
            get("/trends/latency", self.latency_trend, answers.SpreadTrend),
            get("/trends/confidence", self.confidence_trend, answers.ConfidenceTrend),
            get("/trends/agent-resolved", self.agent_resolved, answers.ResolvedTrend),
            get("/trends/resolution-time", self.resolution_time, answers.SpreadTrend),
            get("/top-agents", self.top_agents, answers.TopAgents, TopAgentsQuery),
        ]

    async def stats(self, request: Request, query: AnalyticsQuery) -> answers.Stats:
        """Key figures of a period."""
        reports = self._reports(request, query)
        found = await reports.figures()
        classifications = found.line("classifications")
        return answers.Stats(
            period=PeriodAnswer.of(reports.view.period),
            total_classifications=_count(classifications),
            error_count=_count(found.line("errors")),
            error_rate=found.line("error_rate").total,
            avg_latency_ms=found.line("latency").total,
            p50_latency_ms=found.line("p50").total,
            p95_latency_ms=found.line("p95").total,
            avg_confidence=found.line("confidence").total,
            classifications_change=_change(found, "classifications"),
            ignored_latencies=found.unusable.get(LATENCY, 0),
            ignored_confidences=found.unusable.get(CONFIDENCE, 0),
        )

    async def intents(self, request: Request, query: AnalyticsQuery) -> answers.Intents:
        """The ten most frequent intents."""
        reports = self._reports(request, query)
        found = await reports.intents()
        data = [
            answers.Intent(
                intent=row.values[0] or UNKNOWN,
                count=int(row.measures[0] or 0),
                avg_confidence=row.measures[1],
                persons=int(row.measures[2] or 0),
            )
            for row in found.rows
        ]
        other = int(found.other.measures[0] or 0) if found.other else 0
        return answers.Intents(period=PeriodAnswer.of(reports.view.period), data=data, other=other)

    async def latency(self, request: Request, query: AnalyticsQuery) -> answers.Latency:
        """Classifications by the time that they took."""
        reports = self._reports(request, query)
        found = await reports.latency()
        data = [
            answers.LatencyBucket(bucket=_range(bucket.low, bucket.high), count=bucket.count)
            for bucket in found.buckets
        ]
        return answers.Latency(
            period=PeriodAnswer.of(reports.view.period), data=data, ignored=found.unusable.get(LATENCY, 0)
        )

    async def errors(self, request: Request, query: AnalyticsQuery) -> answers.Errors:
        """Errors by type."""
        reports = self._reports(request, query)
        data = [
            answers.ErrorCount(
                error_type=row.values[0] or UNKNOWN,
                count=int(row.measures[0] or 0),
                recovered_count=int(row.measures[1] or 0),
            )
            for row in (await reports.errors()).rows
        ]
        return answers.Errors(period=PeriodAnswer.of(reports.view.period), data=data)

    async def containment(self, request: Request, query: AnalyticsQuery) -> answers.Containment:
        """Persons who met the AI agent, and those whom a human took over."""
        reports = self._reports(request, query)
        figures, found = await reports.figures_and_containment()
        met, handed_over = (step.reached for step in found.steps)
        return answers.Containment(
            period=PeriodAnswer.of(reports.view.period),
            total_ai_sessions=_count(figures.line("visits")),
            total_ai_persons=met,
            handed_off_persons=handed_over,
            contained_persons=met - handed_over,
            containment_rate=(met - handed_over) / met if met else None,
            open_persons=found.steps[0].open,
            within_hours=(await reports.settings()).handover_hours,
        )

    async def tokens(self, request: Request, query: AnalyticsQuery) -> answers.Tokens:
        """Tokens and cost by model."""
        reports = self._reports(request, query)
        settings = await reports.settings()
        used = costs.uses(await reports.tokens(), settings)
        data = [
            answers.ModelUse(
                model=use.model,
                events=use.events,
                prompt_tokens=use.prompt,
                completion_tokens=use.completion,
                cost=use.cost,
            )
            for use in used
        ]
        return answers.Tokens(
            period=PeriodAnswer.of(reports.view.period),
            currency=settings.currency,
            data=data,
            total_cost=costs.total_cost(used),
            unpriced_models=[use.model for use in used if use.cost is None],
        )

    async def classifications(self, request: Request, query: AnalyticsQuery) -> answers.ClassificationTrend:
        """Classifications and errors over time."""
        reports = self._reports(request, query)
        found = await reports.figures()
        lines = (found.line("classifications"), found.line("errors"), found.line("error_rate"))
        data = [
            answers.ClassificationPoint(
                period=bucket.label, classifications=int(count or 0), errors=int(errors or 0), error_rate=rate
            )
            for bucket, count, errors, rate in zip(found.buckets, *(line.values for line in lines), strict=True)
        ]
        return answers.ClassificationTrend(
            period=PeriodAnswer.of(reports.view.period),
            granularity=reports.granularity,
            data=data,
            total_classifications=_count(lines[0]),
            total_errors=_count(lines[1]),
            avg_error_rate=lines[2].total,
            percent_change=_change(found, "classifications"),
        )

    async def latency_trend(self, request: Request, query: AnalyticsQuery) -> answers.SpreadTrend:
        """Mean and percentiles of the milliseconds that classifications took, over time."""
        reports = self._reports(request, query)
        return _spread_trend(reports, await reports.figures(), "latency", "measured")

    async def confidence_trend(self, request: Request, query: AnalyticsQuery) -> answers.ConfidenceTrend:
        """Confidence of classifications over time."""
        reports = self._reports(request, query)
        found = await reports.figures()
        lines = [found.line(name).values for name in ("confidence", "least", "greatest", "rated")]
        data = [
            answers.ConfidencePoint(
                period=bucket.label, avg=mean, min=least, max=greatest, sample_count=int(rated or 0)
            )
            for bucket, mean, least, greatest, rated in zip(found.buckets, *lines, strict=True)
        ]
        return answers.ConfidenceTrend(
            period=PeriodAnswer.of(reports.view.period),
            granularity=reports.granularity,
            data=data,
            avg_confidence=found.line("confidence").total,
        )

    async def agent_resolved(self, request: Request, query: AnalyticsQuery) -> answers.ResolvedTrend:
        """Chats that human agents resolved, over time."""
        reports = self._reports(request, query)
        found = await reports.resolutions()
        resolved, agents = found.line("resolved"), found.line("agents")
        data = [
            answers.ResolvedPoint(period=bucket.label, resolved_count=int(count or 0), active_agents=int(active or 0))
            for bucket, count, active in zip(found.buckets, resolved.values, agents.values, strict=True)
        ]
        return answers.ResolvedTrend(
            period=PeriodAnswer.of(reports.view.period),
            granularity=reports.granularity,
            data=data,
            total_resolved=_count(resolved),
            active_agents=_count(agents),
            percent_change=_change(found, "resolved"),
        )

    async def resolution_time(self, request: Request, query: AnalyticsQuery) -> answers.SpreadTrend:
        """Mean and percentiles of the seconds that chats took to be resolved, over time."""
        reports = self._reports(request, query)
        return _spread_trend(reports, await reports.resolutions(), "seconds", "timed")

    async def top_agents(self, request: Request, query: TopAgentsQuery) -> answers.TopAgents:
        """Human agents by the chats that they resolved."""
        reports = self._reports(request, query)
        data = [
            answers.TopAgent(
                agent_id=row.values[0] or UNKNOWN,
                resolved_count=int(row.measures[0] or 0),
                avg_resolution_time=row.measures[1],
            )
            for row in (await reports.agents(query.limit)).rows
            if row.measures[0]
        ]
        return answers.TopAgents(period=PeriodAnswer.of(reports.view.period), data=data)

    def _reports(self, request: Request, query: AnalyticsQuery) -> Reports:
        return Reports(View.of(self._app(), request, PATH, query))


def _spread_trend(reports: Reports, found: TimeseriesAnswer, mean: str, count: str) -> answers.SpreadTrend:
    lines = [found.line(name) for name in (mean, "p50", "p95", count)]
    data = [
        answers.SpreadPoint(period=bucket.label, avg=avg, p50=p50, p95=p95, sample_count=int(samples or 0))
        for bucket, avg, p50, p95, samples in zip(found.buckets, *(line.values for line in lines), strict=True)
    ]
    return answers.SpreadTrend(
        period=PeriodAnswer.of(reports.view.period),
        granularity=reports.granularity,
        data=data,
        avg=lines[0].total,
        p50=lines[1].total,
        p95=lines[2].total,
        sample_count=_count(lines[3]),
    )


def _count(line: Line) -> int:
    return int(line.total or 0)


def _change(found: TimeseriesAnswer, series: str) -> float:
    return percent_change(found.line(series).total or 0, found.before(series).total or 0)


def _range(low: float | None, high: float | None) -> str:
    if high is None:
        return f"{low:g}+"
    return f"{low or 0:g}-{high:g}"
