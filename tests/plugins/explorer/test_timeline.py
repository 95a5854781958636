"""What events say in a timeline, and how they are gathered into episodes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from chatnation.plugins.explorer.episodes import PAUSE, episodes, runs
from chatnation.plugins.explorer.moments import is_error, message_text, moment, moments
from chatnation.query import EventRow
from tests.plugins.explorer.conftest import NOW


def row(name: str, seconds: float = 0, channel: str = "web", **properties: Any) -> EventRow:
    nothing: dict[str, Any] = dict.fromkeys(EventRow.__slots__)
    about: dict[str, Any] = {
        "message_id": uuid4(),
        "timestamp": NOW + timedelta(seconds=seconds),
        "event_name": name,
        "event_type": "track",
        "channel_type": channel,
        "project_id": 1,
        "is_bot": False,
        "journey_start": False,
        "journey_end": False,
        "properties": properties,
    }
    return EventRow(**{**nothing, **about})


@pytest.mark.parametrize(
    ("properties", "text"),
    [
        ({"text": "Habari"}, "Habari"),
        ({"text": {"body": "Habari"}}, "Habari"),
        ({"text": {"body": 5}}, "5"),
        ({"text": {}, "caption": "A photo"}, "A photo"),
        ({"type": "image"}, "[image]"),
        ({"template": {"name": "menu"}}, "[template menu]"),
        ({"template": "menu", "text": ["x"]}, "[message]"),
        ({"text": None, "type": {"odd": 1}}, "[message]"),
    ],
)
def test_a_message_says_its_text_caption_template_or_kind(properties: dict[str, Any], text: str) -> None:
    assert message_text(properties) == text


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (row("csat_submitted", rating="5"), "★★★★★"),
        (row("csat_submitted", rating=9, feedback="x"), "9 · x"),
        (row("ai.classification", detected_intent="nil", confidence=True), "nil"),
        (row("ai.error", error_type="timeout", recovered=True), "timeout · recovered"),
        (row("ai.error", error_type="timeout", recovered=[1]), "timeout"),
        (row("agent.handoff", agentId={"odd": 1}, handoffReason="user_request"), "user_request"),
        (row("anything", step="otp"), "otp"),
    ],
)
def test_an_event_says_the_main_thing_about_it_whatever_its_values_are(event: EventRow, text: str) -> None:
    assert moment(event).text == text


def test_a_receipt_stands_at_its_message_and_read_is_further_than_delivered() -> None:
    events = [
        row("message.sent", 0, messageId="a"),
        row("message.read", 1, message_id="a"),
        row("message.delivered", 2, messageId="a"),
        row("message.sent", 3, messageId="b"),
        row("message.received", 4, messageId="a"),
    ]
    assert [each.receipt for each in moments(events)] == ["read", "", "", "", ""]


def test_errors_are_told_by_their_names() -> None:
    names = ("app_error", "ai.error", "payment_error", "error", "terror", "errors_seen")
    assert [is_error(row(name)) for name in names] == [True, True, True, False, False, False]


def test_a_longer_pause_begins_an_episode_whatever_the_channels() -> None:
    pause = PAUSE.total_seconds()
    events = [row("a", 0), row("b", pause, "whatsapp"), row("c", 2 * pause + 1, "ai")]
    found = episodes(events[::-1], [], more=False)
    assert [[each.event_name for each in episode.events] for episode in found] == [["c"], ["a", "b"]]
    assert found[1].channels == ["web", "whatsapp"]
    assert found[1].duration == pause


def test_a_part_of_an_episode_is_left_to_the_next_page_unless_it_is_all_there_is() -> None:
    events = [row("new", 10_000), row("old", 0)]
    assert [each.events[0].event_name for each in episodes(events, [], more=True)] == ["new"]
    (only,) = episodes(events[:1], [], more=True)
    assert only.continues
    assert episodes([], [], more=False) == []


def test_episodes_of_random_events_hold_each_once_and_are_apart() -> None:
    rng = Random(1)
    for _ in range(50):
        events = sorted(
            (row("x", rng.randrange(0, 40_000)) for _ in range(rng.randrange(1, 40))), key=lambda each: each.timestamp
        )
        found = episodes(events[::-1], [], more=False)
        assert [event for episode in found[::-1] for event in episode.events] == sorted(
            events, key=lambda each: each.timestamp
        )
        for later, earlier in pairwise(found):
            assert later.started_at - earlier.ended_at > PAUSE


def test_what_matters_less_is_folded_together() -> None:
    view = row("page_view", 0)
    events = [view, replace(view, event_name="x", event_type="page"), row("filed", 2), row("message.read", 3)]
    assert [(run.significant, len(run.moments)) for run in runs(moments(events))] == [(False, 2), (True, 1), (False, 1)]
