"""The example of the explanation comes out as it says."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from chatnation.testing import identify, track
from chatnation.testing.events import Wire
from tests.plugins.journeys.conftest import NOW, Office

TEXT = (Path(__file__).parents[3] / "docs" / "explanation" / "journeys.md").read_text("utf-8")
ROW = re.compile(r"\| (Ann|Bob|Cem|Dan|Eve) \| (.*?) \| (.*?) \|")
NAMES = {"start": "filing_started", "look": "page_view", "end": "return_filed", "handoff": "agent.handoff"}


def events_of(person: str, told: str) -> list[Wire]:
    """The events of a row, and a login that joins its browser with its phone."""
    phone = f"2547000000{ord(person[0])}"
    events = [identify(person, visitor=person, at=NOW - timedelta(days=9), context={"externalId": phone})]
    for channel, name, minute in re.findall(r"(web|WhatsApp) `(\w+) (\d+)`", told):
        web = channel == "web"
        events.append(
            track(
                NAMES[name],
                at=NOW + timedelta(minutes=int(minute) - 60),
                visitor=person if web else phone,
                user=None if web else phone,
                context={} if web else {"channel": "whatsapp", "externalId": phone},
                journey_start=name == "start",
                journey_end=name == "end",
            )
        )
    return events


async def test_the_example_comes_out_as_it_is_told(office: Office) -> None:
    rows = ROW.findall(TEXT)
    assert len(rows) == 5
    await office.app.ingest_and_drain(
        [event for person, told, _ in rows for event in events_of(person, told)], office.source
    )

    told = await office.get("/overview")

    outcomes = [outcome.partition(",")[0] for _, _, outcome in rows]
    assert outcomes == ["Completed", "Assisted", "Abandoned", "In progress", "no journey: a hand-off without one"]
    names = ("completed_journeys", "assisted_journeys", "abandoned_journeys", "in_progress", "handoffs_without_journey")
    assert [told[name] for name in names] == [1, 1, 1, 1, 1]
    assert (told["total_journeys"], told["handoffs"], told["handoffs_in_journeys"]) == (3, 2, 1)
