"""A recount of journeys in plain Python, one fact after the other, from what was sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.plugins.journeys.conftest import Fact, in_order

DAY = timedelta(days=1)
GRACE = timedelta(minutes=30)
TAKEN = ("agent.handoff", "chat.assigned")


@dataclass
class Journey:
    """An attempt: what began it, what its person did in it, and whether the person's next one ended it."""

    start: Fact
    rest: list[Fact] = field(default_factory=list)
    replaced: bool = False

    def outcome(self, now: datetime) -> str:
        if any(fact.name in TAKEN for fact in self.rest):
            return "assisted"
        if any(fact.ends for fact in self.rest):
            return "completed"
        last = [self.start, *self.rest][-1]
        going_on = not self.replaced and now < self.start.at + DAY and now - last.at < GRACE
        return "in_progress" if going_on else "abandoned"

    @property
    def ended(self) -> bool:
        return any(fact.ends for fact in self.rest)

    @property
    def seconds_to_handoff(self) -> float:
        return next((fact.at - self.start.at).total_seconds() for fact in self.rest if fact.name in TAKEN)

    @property
    def name(self) -> str:
        """The first property that names it, without what does not tell names apart."""
        found = self.start.properties
        keys = ("journey", "obligation_type", "step", "journeyStep")
        written = next((found[key] for key in keys if key in found), self.start.name)
        return written.replace("-", " ").replace("_", " ").lower()


def journeys_of(facts: Sequence[Fact]) -> tuple[list[Journey], list[Fact]]:
    """Everybody's journeys, and the hand-offs that lie in none of them."""
    journeys: list[Journey] = []
    current: dict[str, Journey] = {}
    loose = []
    for fact in in_order(facts):
        running = current.get(fact.person)
        within = running is not None and fact.at <= running.start.at + DAY
        if fact.starts:
            if running is not None and within:
                running.replaced = True
            current[fact.person] = Journey(fact)
            journeys.append(current[fact.person])
        elif running is not None and within:
            running.rest.append(fact)
        elif fact.name == "agent.handoff":
            loose.append(fact)
    return journeys, loose


@dataclass(frozen=True)
class Recount:
    """What must be told of a stretch of time."""

    facts: Sequence[Fact]
    start: datetime
    end: datetime
    now: datetime

    def inside(self, fact: Fact) -> bool:
        return self.start <= fact.at < self.end

    @property
    def journeys(self) -> list[Journey]:
        return [journey for journey in journeys_of(self.facts)[0] if self.inside(journey.start)]

    @property
    def handoffs(self) -> list[Fact]:
        return [fact for fact in in_order(self.facts) if fact.name == "agent.handoff" and self.inside(fact)]

    @property
    def loose_handoffs(self) -> int:
        return sum(self.inside(fact) for fact in journeys_of(self.facts)[1])

    def outcomes(self, journeys: Iterable[Journey] | None = None) -> Counter[str]:
        return Counter(journey.outcome(self.now) for journey in (self.journeys if journeys is None else journeys))

    def bot_chats(self) -> int:
        """WhatsApp visits, which a pause of more than half an hour ends, without a journey and without an agent."""
        found = 0
        for phone in {fact.person for fact in self.facts if fact.channel == "whatsapp"}:
            visit: list[Fact] = []
            theirs = [fact for fact in in_order(self.facts) if fact.person == phone and fact.channel == "whatsapp"]
            for fact, following in zip(theirs, [*theirs[1:], None], strict=True):
                visit.append(fact)
                if following is None or following.at - fact.at > GRACE:
                    special = any(one.starts or one.name == "agent.handoff" for one in visit)
                    found += self.inside(visit[0]) and not special
                    visit = []
        return found

    def days(self, zone: ZoneInfo) -> dict[str, Counter[str]]:
        """Outcomes by the local day on which journeys began."""
        found: dict[str, Counter[str]] = {}
        for journey in self.journeys:
            day = journey.start.at.astimezone(zone).date().isoformat()
            found.setdefault(day, Counter())[journey.outcome(self.now)] += 1
        return found
