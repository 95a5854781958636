"""Asks what pages and the API tell about the AI agent, for one view of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chatnation.plugins.ai_analytics.questions import Questions
from chatnation.plugins.ai_analytics.settings import AiAnalyticsTenantSettings
from chatnation.plugins.dashboard.api import View, with_agent_names
from chatnation.query import BreakdownAnswer, DistributionAnswer, FunnelAnswer, Granularity, TimeseriesAnswer

PLUGIN = "ai_analytics"


@dataclass(frozen=True, slots=True)
class Reports:
    """The reports that a view can ask for. `granularity` is that of trends."""

    view: View[Any]

    @property
    def granularity(self) -> Granularity:
        return self.view.granularity

    async def settings(self) -> AiAnalyticsTenantSettings:
        """What the tenant has set."""
        return await self.view.app.tenant_settings.get(self.view.tenant.id, PLUGIN, AiAnalyticsTenantSettings)

    async def figures(self) -> TimeseriesAnswer:
        """Classifications, errors, latency and confidence."""
        return await self.view.ask(self._questions.figures(self.granularity))

    async def intents(self, limit: int = 10) -> BreakdownAnswer:
        """By intent: classifications, mean confidence, persons."""
        return await self.view.ask(self._questions.intents(limit))

    async def latency(self) -> DistributionAnswer:
        """How long classifications took, in milliseconds."""
        return await self.view.ask(self._questions.latency())

    async def errors(self) -> BreakdownAnswer:
        """By type: errors, and those that were made good."""
        return await self.view.ask(self._questions.errors())

    async def containment(self) -> FunnelAnswer:
        """Persons who met the AI agent, and those who were handed over in time; with a trend."""
        hours = (await self.settings()).handover_hours
        return await self.view.ask(self._questions.containment(hours, self.granularity))

    async def figures_and_containment(self) -> tuple[TimeseriesAnswer, FunnelAnswer]:
        """Both, found side by side."""
        hours = (await self.settings()).handover_hours
        figures, containment = await self.view.ask_all(
            self._questions.figures(self.granularity), self._questions.containment(hours, self.granularity)
        )
        return figures, containment

    async def tokens(self) -> BreakdownAnswer:
        """By model: events, tokens read, tokens written."""
        return await self.view.ask(self._questions.tokens())

    async def agents(self, limit: int = 10) -> BreakdownAnswer:
        """By human agent: chats resolved, and the mean seconds that took."""
        return await self.view.ask(self._questions.agents(limit))

    async def agents_with_names(self, limit: int) -> tuple[BreakdownAnswer, Mapping[str, str]]:
        """As `agents`, and what agents are called."""
        return await with_agent_names(self.view, self._questions.agents(limit))

    async def resolutions(self) -> TimeseriesAnswer:
        """Chats resolved, agents, and how long it took."""
        return await self.view.ask(self._questions.resolutions(self.granularity))

    @property
    def _questions(self) -> Questions:
        return Questions(self.view.range, self.view.conditions())
