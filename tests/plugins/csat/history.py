"""Random surveys and ratings, and a recount of them in plain Python."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from random import Random
from typing import Any

from chatnation.testing.events import Wire, track

RATINGS = (5, 5, 4, 3, 2, 1, "4", " 2 ", 5.0, "5.0", 0, 6, 4.5, -1, "good", "", True, None, [5])
JOURNEYS: tuple[dict[str, Any], ...] = (
    {},
    {"journey": "MRI"},
    {"journey": "NIL", "journeyStep": "otp"},
    {"journeyStep": "otp"},
    {"issue": "refund"},
)


@dataclass(frozen=True)
class Said:
    """Something that happened. `visitor` and `chat` say who rated what."""

    name: str
    at: datetime
    visitor: int
    chat: str | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    channel: str = "whatsapp"
    is_bot: bool = False

    def wire(self) -> Wire:
        phone = f"2547{self.visitor:08}"
        agent = {"userAgent": "Googlebot/2.1 (+http://www.google.com/bot.html)"} if self.is_bot else {}
        # Bots are told by their browser, and only websites hear of browsers.
        context = {"channel": "web" if self.is_bot else self.channel, "externalId": phone, **agent}
        properties = self.properties | ({"inboxSessionId": self.chat} if self.chat else {})
        return track(self.name, properties, at=self.at, user=phone, visitor=phone, context=context)

    @property
    def score(self) -> int | None:
        """The rating, where it is a whole number from 1 to 5, as a number or as text."""
        given = self.properties.get("rating")
        if isinstance(given, str):
            given = float(given) if re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", given) else None
        if isinstance(given, bool) or not isinstance(given, int | float):
            return None
        return int(given) if given in (1, 2, 3, 4, 5) and math.isfinite(given) else None

    @property
    def is_invalid(self) -> bool:
        """Whether it has a rating that is none; what is missing, or a list, is no rating at all."""
        given = self.properties.get("rating")
        return self.score is None and given is not None and not isinstance(given, list)

    @property
    def journey(self) -> str:
        names = (self.properties.get(name) for name in ("journey", "journeyStep", "issue"))
        return next((name for name in names if name), "Unknown")


def random_history(random: Random, now: datetime, days: int = 70, chats: int = 90) -> list[Said]:
    """Chats with surveys, ratings once, again or never, good and useless ones; and ratings without a chat."""
    found: list[Said] = []
    for number in range(chats):
        chat, visitor = f"chat-{number}", random.randrange(30)
        at = now - timedelta(seconds=random.randrange(days * 86_400))
        agent: dict[str, Any] = random.choice(({}, {"agentId": "a1", "agentName": "Amina"}, {"agentId": "a2"}))
        bot = random.random() < 0.04
        if random.random() < 0.85:
            found.append(Said("csat.sent", at, visitor, chat, agent, is_bot=bot))
        for _ in range(random.choice((0, 1, 1, 2, 3))):
            at += timedelta(seconds=random.choice((20, 4_000, 90_000, 20 * 86_400)), milliseconds=random.randrange(900))
            found.append(Said("csat_submitted", at, visitor, chat, _rating(random), is_bot=random.random() < 0.04))
    for number in range(chats // 3):
        # Of a website, without a chat: each by a visitor of its own, twice in one visit.
        at = now - timedelta(seconds=random.randrange(days * 86_400))
        for _ in range(random.choice((1, 2))):
            at += timedelta(seconds=30)
            found.append(Said("csat_submitted", at, 1_000 + number, None, _rating(random), "web"))
    return [said for said in found if said.at <= now]


def _rating(random: Random) -> dict[str, Any]:
    feedback = random.choice(({}, {"feedback": ""}, {"feedback": "fine"}, {"feedback": "=1+1"}))
    return {"rating": random.choice(RATINGS), **feedback, **random.choice(JOURNEYS)}


@dataclass(frozen=True)
class Recount:
    """The numbers of a stretch of time, as seen at `now`."""

    said: Sequence[Said]
    start: datetime
    end: datetime
    now: datetime

    @cached_property
    def people(self) -> list[Said]:
        return sorted((one for one in self.said if not one.is_bot), key=lambda one: one.at)

    @cached_property
    def counted(self) -> list[Said]:
        """The first valid rating ever of each chat, or visit."""
        firsts: dict[object, Said] = {}
        for one in self.people:
            if one.name == "csat_submitted" and one.score is not None:
                firsts.setdefault(one.chat or one.visitor, one)
        return list(firsts.values())

    def inside(self, one: Said) -> bool:
        return self.start <= one.at < self.end

    def of(self, name: str) -> list[Said]:
        return [one for one in self.people if one.name == name and self.inside(one)]

    def responses(self) -> list[Said]:
        return [one for one in self.counted if self.inside(one)]

    def revisions(self) -> list[Said]:
        valid = [one for one in self.of("csat_submitted") if one.score is not None]
        return [one for one in valid if not any(one is first for first in self.counted)]

    def invalid(self) -> list[Said]:
        return [one for one in self.of("csat_submitted") if one.is_invalid]

    def by(self, key: Callable[[Said], str]) -> dict[str, list[int]]:
        """Scores of the responses by something of theirs."""
        found: dict[str, list[int]] = defaultdict(list)
        for one in self.responses():
            found[key(one)].append(one.score or 0)
        return found

    def surveys(self) -> dict[str, tuple[int, list[int], int]]:
        """By agent how many surveys were sent, the scores that came of them, and how many may still be answered."""
        counts: dict[str, list[Any]] = defaultdict(lambda: [0, [], 0])
        for one in self.of("csat.sent"):
            count = counts[one.properties.get("agentId", "Unknown")]
            count[0] += 1
            until = one.at + timedelta(days=30)
            answers = [each for each in self.counted if each.chat == one.chat and one.at < each.at <= until]
            if answers:
                count[1].append(answers[0].score)
            elif self.now < until:
                count[2] += 1
        return {agent: (sent, scores, still_open) for agent, (sent, scores, still_open) in counts.items()}
