"""The API of journeys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from chatnation import App, Route
from chatnation.plugins.dashboard.api import AnalyticsQuery, Period, PeriodAnswer, percent_change
from chatnation.plugins.journeys import answers, counts, questions
from chatnation.plugins.journeys.agents import agents_of
from chatnation.plugins.journeys.counts import Journeys
from chatnation.plugins.journeys.rules import Rules, RulesOf
from chatnation.query import Analytics, Condition, Granularity, Query, Range

VIEW = "analytics.view"
MOST_STEPS = 20


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request, understood."""

    app: App
    tenant_id: int
    rules: Rules
    period: Period
    granularity: Granularity
    query: AnalyticsQuery

    @property
    def range(self) -> Range:
        return Range(self.period.start, self.period.end, self.period.timezone)

    @property
    def where(self) -> tuple[Condition, ...]:
        return self.query.conditions()

    async def answers(self, *asked: Query) -> list[Any]:
        return await self.app.services.get(Analytics).ask_all(self.tenant_id, asked)


class JourneysRoutes:
    """Everything under `/api/journeys`."""

    def __init__(self, app: Callable[[], App], rules_of: RulesOf) -> None:
        self._app = app
        self._rules_of = rules_of

    def routes(self) -> list[Route]:
        def get(path: str, handler: Any, response: Any) -> Route:
            return Route("GET", path, handler, VIEW, query=AnalyticsQuery, response=response)

        return [
            get("/overview", self.overview, answers.Overview),
            get("/trends/handoff", self.handoff_trend, answers.HandoffTrend),
            get("/handoff-by-step", self.handoff_by_step, answers.HandoffByStep),
            get("/handoff-reasons", self.handoff_reasons, answers.HandoffReasons),
            get("/time-to-handoff", self.time_to_handoff, answers.TimeToHandoff),
            get("/by-journey", self.by_journey, answers.ByJourney),
            get("/agent-performance", self.agent_performance, answers.AgentPerformance),
            Route("GET", "/journey-labels", self.journey_labels, VIEW, response=answers.JourneyLabels),
        ]

    async def overview(self, request: Request, query: AnalyticsQuery) -> answers.Overview:
        """Journeys completed, abandoned and assisted, against the period before; and how the hand-offs add up."""
        asked = await self._asked(request, query)
        found, chats, taken = await asked.answers(
            questions.journeys(asked.rules, asked.range, asked.where, asked.granularity),
            questions.bot_chats(asked.range, query.conditions("sessions"), asked.granularity),
            questions.handoffs(asked.range, asked.where, questions.STEP_FIELD),
        )
        now = figures(Journeys.of(found.total), chats.line("bot_chats").total, found.outside[questions.HANDED_OVER])
        before = figures(
            Journeys.of(found.previous), chats.before("bot_chats").total, found.previous_outside[questions.HANDED_OVER]
        )
        handoffs = counts.handoffs_of(found, taken)
        return answers.Overview(
            **now.model_dump(),
            period=PeriodAnswer.of(asked.period),
            handoffs=handoffs.total,
            handoffs_in_journeys=handoffs.in_journeys,
            previous=before,
            change=answers.Changes(
                **{
                    name: percent_change(getattr(now, name), getattr(before, name))
                    for name in answers.Changes.model_fields
                }
            ),
        )

    async def handoff_trend(self, request: Request, query: AnalyticsQuery) -> answers.HandoffTrend:
        """Assisted and self-serve journeys over time, by when they began."""
        asked = await self._asked(request, query)
        (found,) = await asked.answers(questions.journeys(asked.rules, asked.range, asked.where, asked.granularity))
        points = [(point.bucket.start, Journeys.of(point.counts)) for point in found.trend]
        total = Journeys.of(found.total)
        return answers.HandoffTrend(
            period=PeriodAnswer.of(asked.period),
            granularity=asked.granularity,
            data=[
                answers.TrendPoint(
                    period=start,
                    total_journeys=journeys.total,
                    assisted=journeys.assisted,
                    self_serve=journeys.self_serve,
                    completed=journeys.completed,
                    abandoned=journeys.abandoned,
                    in_progress=journeys.in_progress,
                    handoff_rate=journeys.share(journeys.assisted) or 0,
                    self_serve_rate=journeys.share(journeys.self_serve) or 0,
                )
                for start, journeys in points
            ],
            summary=answers.TrendSummary(
                total_journeys=total.total,
                total_assisted=total.assisted,
                avg_handoff_rate=total.share(total.assisted) or 0,
                percent_change=counts.half_change([journeys for _, journeys in points]),
            ),
        )

    async def handoff_by_step(self, request: Request, query: AnalyticsQuery) -> answers.HandoffByStep:
        """Hand-offs by the step from which they came, or else by their reason."""
        asked = await self._asked(request, query)
        (found,) = await asked.answers(questions.handoffs(asked.range, asked.where, questions.STEP_FIELD))
        ranked = counts.ranked(found, asked.rules.labels)
        return answers.HandoffByStep(
            period=PeriodAnswer.of(asked.period),
            data=[
                answers.StepCount(step=one.name, label=one.label, handoffs=one.count, percentage=one.share)
                for one in ranked[:MOST_STEPS]
            ],
            summary=answers.StepSummary(total_handoffs=found.total.measures[0], unique_steps=len(ranked)),
        )

    async def handoff_reasons(self, request: Request, query: AnalyticsQuery) -> answers.HandoffReasons:
        """Hand-offs by reason."""
        asked = await self._asked(request, query)
        (found,) = await asked.answers(questions.handoffs(asked.range, asked.where, questions.REASON_FIELD))
        return answers.HandoffReasons(
            period=PeriodAnswer.of(asked.period),
            data=[
                answers.ReasonCount(reason=one.name, label=one.label, count=one.count, percentage=one.share)
                for one in counts.ranked(found, asked.rules.labels)
            ],
            summary=answers.ReasonSummary(total_handoffs=found.total.measures[0]),
        )

    async def time_to_handoff(self, request: Request, query: AnalyticsQuery) -> answers.TimeToHandoff:
        """How long people try before an agent takes over."""
        asked = await self._asked(request, query)
        (found,) = await asked.answers(questions.journeys(asked.rules, asked.range, asked.where, asked.granularity))
        took = found.took[questions.ASSISTED]
        return answers.TimeToHandoff(
            period=PeriodAnswer.of(asked.period),
            avg_seconds=took.mean,
            median_seconds=took.p50,
            p95_seconds=took.p95,
            handoff_count=took.count,
            avg_formatted=counts.in_words(took.mean),
            median_formatted=counts.in_words(took.p50),
            p95_formatted=counts.in_words(took.p95),
        )

    async def by_journey(self, request: Request, query: AnalyticsQuery) -> answers.ByJourney:
        """Journeys by name: how many started, ended, were given up, or went to an agent."""
        asked = await self._asked(request, query)
        found, ended = await asked.answers(
            questions.journeys(asked.rules, asked.range, asked.where, asked.granularity),
            questions.completions(asked.rules, asked.range, asked.where),
        )
        rows = counts.by_name(found, ended, asked.rules.labels)
        return answers.ByJourney(
            period=PeriodAnswer.of(asked.period),
            data=[
                answers.JourneyRow(
                    step=row.name,
                    label=row.label,
                    started=row.journeys.started,
                    completed=row.ended,
                    completed_self_serve=row.journeys.completed,
                    dropped_off=row.journeys.abandoned,
                    assisted=row.journeys.assisted,
                    in_progress=row.journeys.in_progress,
                )
                for row in rows
            ],
            summary=answers.ByJourneySummary(
                total_assisted=sum(row.journeys.assisted for row in rows),
                total_completed=sum(row.ended for row in rows),
                journey_count=len(rows),
            ),
        )

    async def agent_performance(self, request: Request, query: AnalyticsQuery) -> answers.AgentPerformance:
        """What each agent took over."""
        asked = await self._asked(request, query)
        found, named = await asked.answers(
            questions.handoffs(asked.range, asked.where, questions.AGENT_FIELD),
            questions.agent_names(asked.range, asked.where),
        )
        agents = agents_of(found, named)
        known = [agent for agent in agents if agent.agent_id is not None]
        taken = sum(agent.handoffs for agent in known)
        return answers.AgentPerformance(
            period=PeriodAnswer.of(asked.period),
            data=[
                answers.AgentRow(
                    agent_id=agent.agent_id,
                    agent_name=agent.name,
                    total_handoffs=agent.handoffs,
                    unique_persons=agent.persons,
                )
                for agent in agents
            ],
            summary=answers.AgentSummary(
                total_handoffs=found.total.measures[0],
                total_agents=len(known),
                avg_handoffs_per_agent=taken / len(known) if known else 0,
            ),
        )

    async def journey_labels(self, request: Request) -> answers.JourneyLabels:
        """What journeys and steps are called."""
        rules = await self._rules_of(request.state.actor.tenant.id)
        return answers.JourneyLabels(labels=dict(rules.labels.shown))

    async def _asked(self, request: Request, query: AnalyticsQuery) -> _Asked:
        tenant, app = request.state.actor.tenant, self._app()
        period = query.resolve(tenant.timezone, app.clock.now())
        rules = await self._rules_of(tenant.id)
        return _Asked(app, tenant.id, rules, period, query.granularity_of(period), query)


def figures(journeys: Journeys, bot_chats: float | None, without_journey: int) -> answers.Figures:
    """The numbers of a period as the API tells them."""
    return answers.Figures(
        total_journeys=journeys.total,
        self_serve_journeys=journeys.self_serve,
        assisted_journeys=journeys.assisted,
        completed_journeys=journeys.completed,
        abandoned_journeys=journeys.abandoned,
        in_progress=journeys.in_progress,
        bot_chat_only=int(bot_chats or 0),
        self_serve_rate=journeys.share(journeys.self_serve) or 0,
        assisted_rate=journeys.share(journeys.assisted) or 0,
        completion_rate=journeys.share(journeys.completed) or 0,
        abandonment_rate=journeys.share(journeys.abandoned) or 0,
        handoffs_without_journey=without_journey,
    )
