"""Random WhatsApp conversations, and a recount of them in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from random import Random
from typing import Any

from chatnation.testing.events import Wire, track

DAY = timedelta(days=1)
COUNTRIES = {"2547": "KE", "2567": "UG", "4915": "DE"}
"""By the beginning of the number."""


@dataclass(frozen=True)
class Said:
    """Something that happened, to the contact with a phone number."""

    name: str
    at: datetime
    phone: str
    properties: dict[str, Any] = field(default_factory=dict)
    is_bot: bool = False

    def wire(self) -> Wire:
        agent = {"userAgent": "Googlebot/2.1 (+http://www.google.com/bot.html)"} if self.is_bot else {}
        channel = "web" if self.is_bot else "whatsapp"
        context = {"channel": channel, "externalId": self.phone, **agent}
        return track(self.name, self.properties, at=self.at, user=self.phone, visitor=self.phone, context=context)

    @property
    def message(self) -> str | None:
        found = self.properties.get("messageId", self.properties.get("message_id"))
        return None if found is None else str(found)

    @property
    def country(self) -> str:
        return COUNTRIES[self.phone[:4]]


def random_history(random: Random, now: datetime, days: int = 50, chats: int = 60) -> list[Said]:
    """Chats with messages of both spellings, receipts in any order, agents, templates, and things left undone."""
    found: list[Said] = []
    seen: set[datetime] = set()

    def say(name: str, at: datetime, phone: str, properties: dict[str, Any]) -> None:
        while at in seen:  # No two at once: what comes first then is told by ids, which are random.
            at += timedelta(milliseconds=1)
        seen.add(at)
        found.append(Said(name, at, phone, properties, random.random() < 0.03))

    phones = [f"{prefix}{number:08}" for prefix in COUNTRIES for number in range(5)]
    for chat in range(chats):
        phone, at = random.choice(phones), now - timedelta(seconds=random.randrange(days * 86_400))
        named = {"chatId": f"chat-{chat}"} if random.random() < 0.9 else {"inboxSessionId": f"chat-{chat}"}
        agent = f"agent-{random.randrange(3)}"
        for number in range(random.randrange(1, 26)):
            at += timedelta(milliseconds=random.choice((500, 20_000, 59_999, 60_000, 200_000, 4_000_000, 100_000_000)))
            key = random.choice(("messageId", "message_id"))
            message = {key: f"{chat}-{number}", **named} if random.random() < 0.95 else named
            if random.random() < 0.5:
                say("message.received", at, phone, message)
                continue
            by = random.choice(({"agentId": agent}, {"isAutomated": True}, {}))
            made = random.choice(({}, {"template": {"name": "welcome"}}, {"templateId": "reminder"}))
            say("message.sent", at, phone, {**message, **by, **made})
            if random.random() < 0.1:
                say("message.sent", at + timedelta(seconds=1), phone, {**message, **by, **made})
            for name, chance in (("message.delivered", 0.7), ("message.read", 0.6), ("message.read", 0.2)):
                if message is not named and random.random() < chance:
                    later = at + timedelta(seconds=random.choice((1.5, 40, 86_400, 8 * 86_400)))
                    say(name, later, phone, {random.choice(("messageId", "message_id")): f"{chat}-{number}"})
        if random.random() < 0.5:
            name = {"agentName": f"Agent {agent[-1]}"}
            session = {"inboxSessionId": f"chat-{chat}"}
            for _ in range(random.choice((1, 1, 2))):
                say("agent.handoff", at, phone, {"agentId": agent, **session, **name})
                at += timedelta(minutes=random.choice((0.5, 7, 90)))
            if random.random() < 0.8:
                ended = random.choice((session, {"chatId": f"chat-{chat}"}))
                say("chat.resolved", at + timedelta(minutes=3), phone, {"agentId": agent, **ended})
    return [said for said in found if said.at <= now]


@dataclass(frozen=True)
class Recount:
    """The numbers of a stretch of time, as seen at `now`."""

    said: Sequence[Said]
    start: datetime
    end: datetime
    now: datetime

    @cached_property
    def people(self) -> list[Said]:
        """Everything that no known bot did, in order."""
        return sorted((one for one in self.said if not one.is_bot), key=lambda one: one.at)

    def inside(self, one: Said) -> bool:
        return self.start <= one.at < self.end

    def of(self, *names: str) -> list[Said]:
        return [one for one in self.people if one.name in names and self.inside(one)]

    def contacts(self) -> int:
        return len({one.phone for one in self.of("message.received")})

    def newcomers(self) -> list[Said]:
        """The first message ever of each contact, where it is in the stretch."""
        firsts: dict[str, Said] = {}
        for one in self.people:
            if one.name == "message.received":
                firsts.setdefault(one.phone, one)
        return [one for one in firsts.values() if self.inside(one)]

    def messages(self, key: Callable[[Said], Any] = lambda one: None) -> dict[Any, tuple[int, int, int]]:
        """Of the messages sent, each once by its id: how many, delivered, read; by a key of their first event."""
        by_id: dict[str, list[Said]] = defaultdict(list)
        for one in self.people:
            if one.message is not None:
                by_id[one.message].append(one)
        counts: dict[Any, list[int]] = defaultdict(lambda: [0, 0, 0])
        for theirs in by_id.values():
            sent = [one for one in theirs if one.name == "message.sent" and self.inside(one)]
            if not sent:
                continue

            def came(*names: str, after: list[Said] = sent, among: list[Said] = theirs) -> bool:
                return any(
                    one.name in names and start.at < one.at <= start.at + 7 * DAY for start in after for one in among
                )

            count = counts[key(sent[0])]
            count[0] += 1
            count[1] += came("message.delivered", "message.read")
            count[2] += came("message.read")
        return {value: (count[0], count[1], count[2]) for value, count in counts.items()}

    def replies(self) -> tuple[int, int]:
        """Contacts who were written to, and those who wrote within a day."""
        written_to, replied = set(), set()
        for one in self.of("message.sent"):
            written_to.add(one.phone)
            if any(
                other.name == "message.received" and other.phone == one.phone and one.at < other.at <= one.at + DAY
                for other in self.people
            ):
                replied.add(one.phone)
        return len(written_to), len(replied)

    def responses(self) -> tuple[list[tuple[Said, float]], int, int]:
        """Messages that were answered, with the seconds that took; how many were not, and may still be."""
        answered, unanswered, still_open = [], 0, 0
        for one in self.of("message.received"):
            later = [
                other
                for other in self.people
                if other.name == "message.sent" and other.phone == one.phone and other.at > one.at
            ]
            if later and later[0].at <= one.at + DAY:
                answered.append((one, (later[0].at - one.at).total_seconds()))
            elif self.now < one.at + DAY:
                still_open += 1
            else:
                unanswered += 1
        return answered, unanswered, still_open

    def resolutions(self) -> list[float]:
        """Seconds from the first time that an agent took a chat until it was resolved."""
        by_chat: dict[str, list[Said]] = defaultdict(list)
        for one in self.people:
            if one.name in ("agent.handoff", "chat.resolved"):
                by_chat[one.properties.get("inboxSessionId") or one.properties["chatId"]].append(one)
        found = []
        for theirs in by_chat.values():
            first, last = theirs[0], theirs[-1]
            if first.name == "agent.handoff" and last.name == "chat.resolved" and self.inside(first):
                found.append((last.at - first.at).total_seconds())
        return found

    def lengths(self) -> Counter[str]:
        """Messages of each chat."""
        said = self.of("message.received", "message.sent")
        return Counter(one.properties.get("chatId") or one.properties["inboxSessionId"] for one in said)
