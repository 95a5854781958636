"""The page of journeys: self-serve against assisted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chatnation import App, Page
from chatnation.plugins.dashboard.api import AnalyticsPage, Card, Chart, DataTable, Kpi, Part
from chatnation.plugins.journeys import counts, definitions, figures, questions, told
from chatnation.plugins.journeys.address import PATH, JourneysQuery, JourneysView
from chatnation.plugins.journeys.agents import agents_of
from chatnation.plugins.journeys.rules import Rules, RulesOf
from chatnation.query import Outcomes, OutcomesAnswer

STEPS, REASONS = 8, 6


class JourneysPages:
    """`/journeys`. Its cards share one answer about journeys, and one about hand-offs by step."""

    def __init__(self, app: Callable[[], App], rules_of: RulesOf) -> None:
        self._app = app
        self._rules_of = rules_of

    def pages(self) -> list[Page]:
        cards = [
            Card("figures", "", self.figures, width=12),
            Card("outcomes", "Outcomes", self.outcomes, width=4, metric="journeys.outcomes"),
            Card("self-serve", "Self-serve and assisted", self.self_serve, width=8, metric="journeys.self_serve"),
            Card("rate", "Hand-off rate", self.rate, width=12, metric="journeys.handoff_rate"),
            Card("journeys", "By journey", self.journeys, width=12, metric="journeys.by_journey"),
            Card(
                "steps", "Hand-offs by step", self.steps, section="Hand-offs to agents", metric="journeys.handoff_steps"
            ),
            Card("reasons", "Reasons for hand-offs", self.reasons, metric="journeys.handoff_reasons"),
            Card("time", "", self.time, width=12),
            Card("agents", "Hand-offs by agent", self.agents, metric="journeys.agents"),
            Card("sums", "How it adds up", self.sums, metric="journeys.handoffs"),
            Card(
                "told", "Journeys one by one", self.told, definitions.TOLD, width=12, section="The journeys themselves"
            ),
        ]
        return AnalyticsPage(
            self._app,
            "journeys",
            PATH,
            "Self-serve vs assisted",
            cards,
            query=JourneysQuery,
            metrics=definitions.METRICS,
            needs="Attempts are counted here: events flagged as the start or the end of a journey, and agent.handoff.",
        ).pages()

    async def figures(self, view: JourneysView) -> list[Kpi]:
        chats = questions.bot_chats(view.range, view.conditions("sessions"), view.granularity)
        found, told_chats = await view.ask_all(await self._journeys(view), chats)
        return figures.key_figures(view, found, told_chats)

    async def outcomes(self, view: JourneysView) -> Chart:
        return figures.outcomes_chart(view, await self._answer(view))

    async def self_serve(self, view: JourneysView) -> Chart:
        return figures.self_serve_chart(view, await self._answer(view))

    async def rate(self, view: JourneysView) -> Chart:
        question = await self._journeys(view)
        if not view.compare:
            return figures.rate_chart(view, await view.ask(question), None)
        now, before = await view.ask_all(question, replace(question, range=view.previous_range, compare=False))
        return figures.rate_chart(view, now, before)

    async def journeys(self, view: JourneysView) -> DataTable:
        rules = await self._rules(view)
        found, ended = await view.ask_all(
            questions.journeys(rules, view.range, view.conditions(), view.granularity),
            questions.completions(rules, view.range, view.conditions()),
        )
        return figures.journeys_table(view, counts.by_name(found, ended, rules.labels))

    async def steps(self, view: JourneysView) -> Chart:
        answer = await view.ask(questions.handoffs(view.range, view.conditions(), questions.STEP_FIELD))
        ranked = counts.ranked(answer, (await self._rules(view)).labels)
        return figures.ranking_chart(view, "Step", questions.STEP_FIELD, ranked, STEPS)

    async def reasons(self, view: JourneysView) -> Chart:
        answer = await view.ask(questions.handoffs(view.range, view.conditions(), questions.REASON_FIELD))
        ranked = counts.ranked(answer, (await self._rules(view)).labels)
        return figures.ranking_chart(view, "Reason", questions.REASON_FIELD, ranked, REASONS)

    async def time(self, view: JourneysView) -> list[Kpi]:
        return figures.time_figures(view, await self._answer(view))

    async def agents(self, view: JourneysView) -> DataTable:
        by_agent = questions.handoffs(view.range, view.conditions(), questions.AGENT_FIELD)
        found, named = await view.ask_all(by_agent, questions.agent_names(view.range, view.conditions()))
        return figures.agents_table(view, agents_of(found, named))

    async def sums(self, view: JourneysView) -> DataTable:
        taken = questions.handoffs(view.range, view.conditions(), questions.STEP_FIELD)
        found, handoffs = await view.ask_all(await self._journeys(view), taken)
        return figures.sums_table(view, counts.Journeys.of(found.total), counts.handoffs_of(found, handoffs))

    async def told(self, view: JourneysView) -> Part:
        return await told.told_part(view, await self._rules(view))

    async def _answer(self, view: JourneysView) -> OutcomesAnswer:
        return await view.ask(await self._journeys(view))

    async def _journeys(self, view: JourneysView) -> Outcomes:
        return questions.journeys(await self._rules(view), view.range, view.conditions(), view.granularity)

    async def _rules(self, view: JourneysView) -> Rules:
        return await self._rules_of(view.tenant.id)
