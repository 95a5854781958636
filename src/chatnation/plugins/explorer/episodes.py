"""A person's events as stretches of activity: across web, WhatsApp, AI and agents, until a pause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from chatnation.plugins.explorer.moments import Moment, moments
from chatnation.query import EventRow

if TYPE_CHECKING:
    from chatnation.plugins.sessions.api import SessionRow

PAUSE = timedelta(minutes=30)
"""A longer one ends an episode."""


@dataclass(frozen=True, slots=True)
class Run:
    """Moments one after the other that either all matter, or are all folded away."""

    significant: bool
    moments: Sequence[Moment]


@dataclass(frozen=True, slots=True)
class Episode:
    """Events without a longer pause between them, oldest first, and the sessions that they belong to.

    `continues`: there is more of it before, on the next page.
    """

    events: Sequence[EventRow]
    sessions: Sequence[SessionRow] = ()
    continues: bool = False
    runs: Sequence[Run] = field(default=())

    @property
    def started_at(self) -> datetime:
        return self.events[0].timestamp

    @property
    def ended_at(self) -> datetime:
        return self.events[-1].timestamp

    @property
    def duration(self) -> float:
        """Seconds."""
        return (self.ended_at - self.started_at).total_seconds()

    @property
    def channels(self) -> list[str]:
        """The channels that its events came through, in order of appearance."""
        return list(dict.fromkeys(event.channel_type for event in self.events))

    @property
    def conversions(self) -> list[str]:
        """The conversion events of its sessions."""
        return list(dict.fromkeys(each.conversion_event for each in self.sessions if each.conversion_event))

    @property
    def devices(self) -> list[str]:
        """Device and browser of its sessions, as far as they are known."""
        named = (" · ".join(filter(None, (each.device_type, each.browser_name))) for each in self.sessions)
        return list(dict.fromkeys(filter(None, named)))


def episodes(events: Sequence[EventRow], sessions: Sequence[SessionRow], *, more: bool) -> list[Episode]:
    """The episodes of events that come newest first, the newest episode first.

    With `more`, there are older events: then the last episode may go on there. It is left out where it is not the only
    one, so that a page holds whole episodes.
    """
    parts: list[list[EventRow]] = []
    for event in events:
        if parts and parts[-1][-1].timestamp - event.timestamp <= PAUSE:
            parts[-1].append(event)
        else:
            parts.append([event])
    if more and len(parts) > 1:
        parts.pop()
        more = False
    found = []
    for place, part in enumerate(parts):
        ordered = part[::-1]
        start, end = ordered[0].timestamp, ordered[-1].timestamp
        touching = [each for each in sessions if each.started_at <= end and each.ended_at >= start]
        continues = more and place == len(parts) - 1
        found.append(Episode(ordered, touching, continues, runs(moments(ordered))))
    return found


def runs(found: Sequence[Moment]) -> list[Run]:
    """Moments gathered by whether they matter."""
    return [Run(matters, list(group)) for matters, group in groupby(found, key=lambda each: each.significant)]
