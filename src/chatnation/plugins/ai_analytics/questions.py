"""What is asked of events about the AI agent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatnation.query import (
    Breakdown,
    Condition,
    Distribution,
    Filter,
    Formula,
    Funnel,
    Granularity,
    Measure,
    Range,
    Selection,
    Series,
    Step,
    Timeseries,
)

CLASSIFIED = Selection(("ai.classification",))
FAILED = Selection(("ai.error",))
RECOVERED = Selection(("ai.error",), (Filter("properties.recovered", values=(True,)),))
USED = Selection(("ai.classification", "ai.generation", "ai.error"))
HANDED_OVER = Selection(("agent.handoff",))
RESOLVED = Selection(("chat.resolved",))

INTENT, MODEL, ERROR_TYPE = "properties.detected_intent", "properties.model", "properties.error_type"
CONFIDENCE, LATENCY = "properties.confidence", "properties.latency_ms"
AGENT, RESOLUTION_SECONDS = "properties.agentId", "properties.resolution_time_seconds"
LATENCY_EDGES = (0.0, 100.0, 200.0, 500.0, 1000.0)
"""Milliseconds."""
ERROR_RATE = Formula("error_rate", "{errors} / ({classifications} + {errors})")


@dataclass(frozen=True, slots=True)
class Questions:
    """Questions about a stretch of time, through the filters of a page."""

    stretch: Range
    conditions: Sequence[Condition] = ()

    def figures(self, granularity: Granularity) -> Timeseries:
        """Classifications, errors, their rate, latency and confidence; with those of the range before."""
        return Timeseries(
            range=self.stretch,
            filters=tuple(self.conditions),
            series=(
                Series("classifications", CLASSIFIED),
                Series("errors", FAILED),
                Series("visits", CLASSIFIED, Measure("sessions")),
                Series("latency", CLASSIFIED, Measure("avg", LATENCY)),
                Series("p50", CLASSIFIED, Measure("p50", LATENCY)),
                Series("p95", CLASSIFIED, Measure("p95", LATENCY)),
                Series("measured", _numbered(CLASSIFIED, LATENCY)),
                Series("confidence", CLASSIFIED, Measure("avg", CONFIDENCE)),
                Series("least", CLASSIFIED, Measure("min", CONFIDENCE)),
                Series("greatest", CLASSIFIED, Measure("max", CONFIDENCE)),
                Series("rated", _numbered(CLASSIFIED, CONFIDENCE)),
            ),
            formulas=(ERROR_RATE,),
            granularity=granularity,
            compare=True,
        )

    def intents(self, limit: int) -> Breakdown:
        return self._breakdown(
            INTENT,
            limit,
            Series("count", CLASSIFIED),
            Series("confidence", CLASSIFIED, Measure("avg", CONFIDENCE)),
            Series("persons", CLASSIFIED, Measure("persons")),
        )

    def latency(self) -> Distribution:
        return Distribution(
            range=self.stretch,
            filters=tuple(self.conditions),
            select=CLASSIFIED,
            field=LATENCY,
            edges=LATENCY_EDGES,
        )

    def errors(self, limit: int = 50) -> Breakdown:
        return self._breakdown(ERROR_TYPE, limit, Series("count", FAILED), Series("recovered", RECOVERED))

    def containment(self, hours: float, granularity: Granularity | None = None) -> Funnel:
        """Persons who were classified, and those of them who were handed over in time."""
        return Funnel(
            range=self.stretch,
            filters=tuple(self.conditions),
            steps=(Step("AI agent", CLASSIFIED), Step("Human agent", HANDED_OVER)),
            window=hours * 3600,
            granularity=granularity,
            compare=True,
        )

    def tokens(self) -> Breakdown:
        return self._breakdown(
            MODEL,
            50,
            Series("events", USED),
            Series("prompt", USED, Measure("sum", "properties.prompt_tokens")),
            Series("completion", USED, Measure("sum", "properties.completion_tokens")),
        )

    def agents(self, limit: int) -> Breakdown:
        return self._breakdown(
            AGENT,
            limit,
            Series("resolved", RESOLVED),
            Series("seconds", RESOLVED, Measure("avg", RESOLUTION_SECONDS)),
        )

    def resolutions(self, granularity: Granularity) -> Timeseries:
        """Resolved chats, the agents who did, and how long one took."""
        return Timeseries(
            range=self.stretch,
            filters=tuple(self.conditions),
            series=(
                Series("resolved", RESOLVED),
                Series("agents", RESOLVED, Measure("distinct", AGENT)),
                Series("seconds", RESOLVED, Measure("avg", RESOLUTION_SECONDS)),
                Series("p50", RESOLVED, Measure("p50", RESOLUTION_SECONDS)),
                Series("p95", RESOLVED, Measure("p95", RESOLUTION_SECONDS)),
                Series("timed", _numbered(RESOLVED, RESOLUTION_SECONDS)),
            ),
            granularity=granularity,
            compare=True,
        )

    def _breakdown(self, by: str, limit: int, *series: Series) -> Breakdown:
        return Breakdown(range=self.stretch, filters=tuple(self.conditions), series=series, by=(by,), limit=limit)


def _numbered(select: Selection, field: str) -> Selection:
    """The events of a selection that have a number in a field."""
    return Selection(select.events, (Filter(field, "gte", (-1e300,)),))
