"""Random conversations with an AI agent, and a recount of them in plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from statistics import fmean
from typing import Any

from chatnation.testing.events import Wire, track

INTENTS = ("nil_filing", "payment_status", None)
MODELS = ("small", "large")
HOURS = 24


@dataclass(frozen=True)
class Said:
    """Something that happened, of one person."""

    name: str
    at: datetime
    person: int
    properties: dict[str, Any] = field(default_factory=dict)
    is_bot: bool = False

    def wire(self) -> Wire:
        """As it is sent. A contact's web visit names them by the same phone number."""
        phone = f"2547{self.person:08}"
        agent = {"userAgent": "Googlebot/2.1 (+http://www.google.com/bot.html)"} if self.is_bot else {}
        channel = "web" if self.is_bot else "whatsapp"
        context = {"channel": channel, "externalId": phone, **agent}
        return track(self.name, self.properties, at=self.at, user=phone, visitor=phone, context=context)


def random_history(random: Random, now: datetime, days: int = 40, conversations: int = 120) -> list[Said]:
    """Classifications with good and useless values, errors, answers, hand-overs and resolved chats."""
    found: list[Said] = []
    for _ in range(conversations):
        person = random.randrange(25)
        at = now - timedelta(seconds=random.randrange(days * 86_400))
        for _ in range(random.randrange(1, 4)):
            at += timedelta(seconds=random.randrange(5, 4_000))
            found.append(Said("ai.classification", at, person, _classified(random), random.random() < 0.05))
            if random.random() < 0.3:
                error = {"error_type": random.choice(("timeout", "network")), "recovered": random.random() < 0.5}
                found.append(Said("ai.error", at + timedelta(seconds=2), person, error))
        if random.random() < 0.3:
            at += timedelta(seconds=random.randrange(10, 30 * 3600))
            agent = f"agent-{random.randrange(3)}"
            found.append(Said("agent.handoff", at, person, {"agentId": agent}))
            seconds = random.choice((60, 90.5, "120", "soon"))
            resolved = {"agentId": agent, "resolution_time_seconds": seconds}
            found.append(Said("chat.resolved", at + timedelta(minutes=9), person, resolved))
    return [said for said in found if said.at <= now]


def _classified(random: Random) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "confidence": random.choice((0.2, 0.55, 0.9, "0.75", "high")),
        "latency_ms": random.choice((40, 150, 480, 999, 1000, 2500, "slow", None)),
        "model": random.choice(MODELS),
        "prompt_tokens": random.randrange(100),
        "completion_tokens": random.randrange(20),
    }
    intent = random.choice(INTENTS)
    return properties | ({"detected_intent": intent} if intent else {})


def number(value: Any) -> float | None:
    """A JSON number, or a text that is one."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except ValueError:
        return None


@dataclass(frozen=True)
class Recount:
    """The numbers of a stretch of time."""

    said: Sequence[Said]
    start: datetime
    end: datetime

    def of(self, name: str) -> list[Said]:
        """The events of a name in the stretch, without bots."""
        return [one for one in self.said if one.name == name and not one.is_bot and self.start <= one.at < self.end]

    def numbers(self, name: str, key: str) -> list[float]:
        """The usable numbers of a property."""
        return [value for one in self.of(name) if (value := number(one.properties.get(key))) is not None]

    def unusable(self, name: str, key: str) -> int:
        """Values that are there and are no numbers."""
        values = [one.properties.get(key) for one in self.of(name)]
        return sum(value is not None and number(value) is None for value in values)

    def intents(self) -> dict[str, tuple[int, float | None, int]]:
        """Classifications, mean confidence, and persons by intent."""
        found = {}
        for intent in INTENTS:
            of = [one for one in self.of("ai.classification") if one.properties.get("detected_intent") == intent]
            sure = [value for one in of if (value := number(one.properties["confidence"])) is not None]
            if of:
                persons = len({one.person for one in of})
                found[intent or "unknown"] = (len(of), fmean(sure) if sure else None, persons)
        return found

    def handed_over(self) -> tuple[int, int]:
        """Persons who were classified, and those of them who were handed over in time."""
        met, handed = set(), set()
        for one in self.of("ai.classification"):
            met.add(one.person)
            handed |= {
                other.person
                for other in self.said
                if other.name == "agent.handoff"
                and other.person == one.person
                and one.at < other.at <= one.at + timedelta(hours=HOURS)
            }
        return len(met), len(handed)

    def models(self) -> Iterator[tuple[str, float, float]]:
        """Tokens read and written by model."""
        for model in MODELS:
            of = [one for one in self.of("ai.classification") if one.properties["model"] == model]
            if of:
                yield model, *(sum(one.properties[key] for one in of) for key in ("prompt_tokens", "completion_tokens"))

    def errors(self) -> dict[str, tuple[int, int]]:
        """Errors by type, and those that were made good."""
        all_, good = Counter[str](), Counter[str]()
        for one in self.of("ai.error"):
            all_[one.properties["error_type"]] += 1
            good[one.properties["error_type"]] += one.properties["recovered"]
        return {kind: (count, good[kind]) for kind, count in all_.items()}
