"""The questions that are timed: those of the goals, and one of every other kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chatnation.query import (
    Breakdown,
    Distribution,
    Events,
    Filter,
    Funnel,
    Intervals,
    Lifecycle,
    Measure,
    NamedSet,
    Outcome,
    Outcomes,
    Paths,
    Query,
    Range,
    Retention,
    Selection,
    Series,
    Step,
    Stickiness,
    Timeseries,
    Uniques,
)

STEPS = (
    "page_view",
    "filing_started",
    "validation_success",
    "otp_success",
    "form_opened",
    "return_filed",
    "payment_initiated",
    "payment_success",
)
RECEIVED, SENT = Selection(("message.received",)), Selection(("message.sent",))
CLASSIFIED, HANDED_OVER = Selection(("ai.classification",)), Selection(("agent.handoff",))
JOURNEY = Selection(filters=(Filter("journey_start", values=(True,)),))


@dataclass(frozen=True, slots=True)
class Timed:
    """A question, the most milliseconds it may take warm and cold, if there is a goal for either."""

    question: Query
    warm: float | None = None
    cold: float | None = None


def timed(stretch: Range) -> Mapping[str, Timed]:
    """By name."""
    card = 150.0
    everything = Series("events")
    persons = Series("persons", measure=Measure("persons"))
    latency = "properties.latency_ms"
    return {
        "events by day": Timed(Timeseries(range=stretch, series=(everything,)), card),
        "persons by day": Timed(Timeseries(range=stretch, series=(persons,)), card),
        "sessions and conversions by day": Timed(
            Timeseries(
                range=stretch,
                source="sessions",
                series=(
                    Series("sessions"),
                    Series("converted", Selection(filters=(Filter("converted", values=(True,)),))),
                    persons,
                ),
                compare=True,
            ),
            card,
        ),
        "sessions by device": Timed(Breakdown(range=stretch, source="sessions", by=("device_type",)), card),
        "heatmap of sessions": Timed(
            Breakdown(range=stretch, source="sessions", by=("time.weekday", "time.hour"), limit=168), card
        ),
        "top pages": Timed(
            Breakdown(range=stretch, series=(Series("views", Selection(("page_view",))),), by=("page_path",)), card
        ),
        "WhatsApp messages by day": Timed(
            Timeseries(range=stretch, series=(Series("received", RECEIVED), Series("sent", SENT)), compare=True), card
        ),
        "WhatsApp new contacts": Timed(
            Timeseries(range=stretch, series=(Series("new", RECEIVED, Measure("new_persons")),)), card
        ),
        "WhatsApp response time": Timed(Intervals(range=stretch, start=RECEIVED, end=SENT, granularity="day"), card),
        "WhatsApp heatmap": Timed(
            Breakdown(range=stretch, series=(Series("n", RECEIVED),), by=("time.weekday", "time.hour"), limit=168), card
        ),
        "AI intents": Timed(
            Breakdown(
                range=stretch,
                series=(Series("n", CLASSIFIED), Series("sure", CLASSIFIED, Measure("avg", "properties.confidence"))),
                by=("properties.detected_intent",),
            ),
            card,
        ),
        "AI latency": Timed(Distribution(range=stretch, select=CLASSIFIED, field=latency), card),
        "AI latency by day": Timed(
            Timeseries(range=stretch, series=(Series("p95", CLASSIFIED, Measure("p95", latency)),)), card
        ),
        "AI containment": Timed(
            Uniques(range=stretch, sets=(NamedSet("ai", CLASSIFIED), NamedSet("agent", HANDED_OVER))), card
        ),
        "funnel of 8 steps": Timed(
            Funnel(range=stretch, steps=tuple(Step(name, Selection((name,))) for name in STEPS)), 1500.0, 1500.0
        ),
        "funnel of 8 steps, by country with a trend": Timed(
            Funnel(
                range=stretch,
                steps=tuple(Step(name, Selection((name,))) for name in STEPS),
                by="country_code",
                granularity="day",
            )
        ),
        "outcomes of journeys": Timed(
            Outcomes(
                range=stretch,
                start=JOURNEY,
                outcomes=(
                    Outcome("assisted", HANDED_OVER),
                    Outcome("completed", Selection(filters=(Filter("journey_end", values=(True,)),))),
                ),
                granularity="day",
            )
        ),
        "retention by week": Timed(Retention(range=stretch)),
        "paths": Timed(Paths(range=stretch, node="page_path")),
        "lifecycle by week": Timed(Lifecycle(range=stretch)),
        "stickiness": Timed(Stickiness(range=stretch)),
        "persons by a property": Timed(Breakdown(range=stretch, series=(persons,), by=("properties.obligation_type",))),
        "events by a trait": Timed(Breakdown(range=stretch, series=(everything,), by=("person.county",))),
        "events by a field of the session": Timed(
            Breakdown(range=stretch, series=(everything,), by=("session.utm_source",))
        ),
        "newest events": Timed(Events(range=stretch), 100.0),
    }
