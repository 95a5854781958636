"""The demo and the catalogue of events."""

from __future__ import annotations

from datetime import date

from chatnation.core.demo.generator import TaxAuthority
from chatnation.core.ingestion.catalog import EVENT_TYPES

ONLY_IN_THE_DEMO = {"obligation_selected", "return_submitted"}
"""Steps of the made-up app: events that only it knows, as every real app has some."""


def test_nearly_every_event_of_the_demo_is_in_the_catalogue() -> None:
    sent = {fact.event["event_name"] for fact in TaxAuthority(visits_per_day=300).day(date(2026, 3, 5))}
    assert sent - {event.name for event in EVENT_TYPES} == ONLY_IN_THE_DEMO


def test_no_event_is_listed_twice() -> None:
    names = [event.name for event in EVENT_TYPES]
    assert len(names) == len(set(names))
