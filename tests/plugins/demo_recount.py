"""What the facts of the demo add up to, counted from them alone: no tables, no questions, nothing of the engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import groupby, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from chatnation.core.demo.facts import Fact

ZONE = ZoneInfo("Africa/Nairobi")
PAUSE = timedelta(minutes=30)
DAY = timedelta(days=1)
CONVERSIONS = {"conversion", "purchase", "form_submit", "return_filed", "payment_success"}
NO_VISIT = {"message.delivered", "message.read", "campaign.sent"}
INTENT, ERROR = "ai.classification", "ai.error"


class Circles:
    """Which names belong together, as far as they were seen together."""

    def __init__(self) -> None:
        self._above: dict[Any, Any] = {}

    def of(self, name: Any) -> Any:
        while (above := self._above.get(name, name)) != name:
            name = above
        return name

    def join(self, names: Sequence[Any]) -> None:
        for one, other in pairwise(names):
            self._above[self.of(one)] = self.of(other)


@dataclass(frozen=True)
class Happened:
    """A fact, with the one who did it."""

    fact: Fact
    person: Any

    @property
    def name(self) -> str:
        return str(self.fact.event["event_name"])

    @property
    def at(self) -> datetime:
        return self.fact.at

    @property
    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = self.fact.event["properties"]
        return found

    @property
    def path(self) -> str | None:
        page = self.fact.event["context"].get("page")
        return page["path"] if page else None

    @property
    def channel(self) -> str:
        return str(self.fact.event["context"]["channel"])

    @property
    def day(self) -> str:
        return self.at.astimezone(ZONE).date().isoformat()


@dataclass(frozen=True)
class Visit:
    """What one visitor did without a pause of half an hour, in order."""

    events: list[Happened]

    @property
    def converted(self) -> bool:
        return any(event.name in CONVERSIONS for event in self.events)

    @property
    def journey(self) -> bool:
        return any(event.fact.event.get("journey_start") or event.name == "agent.handoff" for event in self.events)


class Recount:
    """The numbers of some facts, all of which lie in the period that is asked for; crawlers are left out."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        told = sorted(facts, key=lambda fact: (fact.at, fact.event.get("sequence", 1 << 40), fact.event["message_id"]))
        people = Circles()
        for fact in told:
            people.join(names(fact))
        everything = [Happened(fact, people.of(names(fact)[0])) for fact in told]
        self.events = [event for event in everything if not crawls(event.fact)]

    def named(self, *wanted: str) -> list[Happened]:
        return [event for event in self.events if event.name in wanted]

    @cached_property
    def visits(self) -> list[Visit]:
        """By browser and its own session, or by contact; cut at pauses."""

        def whose(event: Happened) -> tuple[str, str, str]:
            sent = event.fact.event
            if event.channel == "whatsapp":
                return event.channel, str(sent["user_id"]), ""
            return event.channel, str(sent["anonymous_id"]), str(sent["session_id"])

        found = []
        events = sorted((event for event in self.events if event.name not in NO_VISIT), key=whose)
        for _, group in groupby(events, key=whose):
            visit: list[Happened] = []
            for event in group:
                if visit and event.at - visit[-1].at > PAUSE:
                    found.append(Visit(visit))
                    visit = []
                visit.append(event)
            found.append(Visit(visit))
        return found

    def visits_by_day(self) -> Counter[str]:
        return Counter(visit.events[0].day for visit in self.visits)

    def views(self) -> Counter[str | None]:
        return Counter(event.path for event in self.named("page_view"))

    def answers(self) -> list[float]:
        """Minutes from each message of a contact to the next one that they got, within a day."""
        found = []
        for place, event in enumerate(self.events):
            if event.name != "message.received":
                continue
            later = (other for other in self.events[place + 1 :] if other.name == "message.sent")
            answer = next((other for other in later if other.person == event.person), None)
            if answer is not None and answer.at - event.at <= DAY:
                found.append((answer.at - event.at).total_seconds() / 60)
        return found

    def scores(self) -> list[int]:
        """The first valid rating of each chat, or of each visit that has none."""
        visit_of = {id(event): place for place, visit in enumerate(self.visits) for event in visit.events}
        found: dict[Any, int] = {}
        for event in self.named("csat_submitted"):
            score = int(event.said["rating"])
            if 1 <= score <= 5:
                found.setdefault(event.said.get("inboxSessionId") or visit_of[id(event)], score)
        return list(found.values())

    def attempts(self, now: datetime) -> Counter[str]:
        """What became of each beginning of a journey, until the person's next one or for a day."""
        found: Counter[str] = Counter()
        for place, start in enumerate(self.events):
            if not start.fact.event.get("journey_start"):
                continue
            attempt = []
            for event in self.events[place + 1 :]:
                if event.person != start.person or event.at - start.at > DAY:
                    continue
                if event.fact.event.get("journey_start"):
                    break
                attempt.append(event)
            ended = any(event.fact.event.get("journey_end") for event in attempt)
            last = attempt[-1].at if attempt else start.at
            if any(event.name == "agent.handoff" for event in attempt):
                found["assisted"] += 1
            elif ended:
                found["completed"] += 1
            else:
                found["in_progress" if now - last < PAUSE else "abandoned"] += 1
        return found

    def funnel(self, steps: Sequence[Callable[[Happened], bool]], window: timedelta) -> list[int]:
        """Persons who come to each step: of all their beginnings, the one that leads furthest."""
        best: dict[Any, int] = {}
        for place, entry in enumerate(self.events):
            if not steps[0](entry):
                continue
            depth = 1
            for event in self.events[place + 1 :]:
                if depth == len(steps) or event.at - entry.at > window:
                    break
                if event.person == entry.person and steps[depth](event):
                    depth += 1
            best[entry.person] = max(depth, best.get(entry.person, 0))
        return [sum(depth > step for depth in best.values()) for step in range(len(steps))]


def names(fact: Fact) -> list[tuple[str, str]]:
    """Everything that a fact says of who it is about. On WhatsApp the user id is the phone number."""
    sent, context = fact.event, fact.event["context"]
    on_whatsapp = context["channel"] == "whatsapp"
    said = [
        ("phone" if on_whatsapp else "user", sent.get("user_id")),
        ("browser", sent.get("anonymous_id")),
        ("phone", context.get("externalId")),
        ("token", context.get("handshakeToken")),
    ]
    return [(kind, value) for kind, value in said if value]


def crawls(fact: Fact) -> bool:
    """Whether a crawler sent it."""
    return fact.client is not None and any(word in fact.client.user_agent.lower() for word in ("bot/", "bot;"))
