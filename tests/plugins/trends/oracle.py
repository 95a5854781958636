"""Trends recounted in plain Python, from what was sent, slowly and obviously."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

GAP = timedelta(minutes=30)
CONVERSIONS = {"return_filed", "purchase"}
RECEIPTS = {"message.read"}


@dataclass(frozen=True)
class Sent:
    """An event as it was sent, and the person that all evidence leads to."""

    at: datetime
    name: str
    visitor: str
    person: str
    channel: str = "web"
    user: str | None = None
    journey: bool = False
    is_bot: bool = False
    page: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class Visit:
    """Events of one visitor with no pause longer than half an hour."""

    events: list[Sent]

    @property
    def began(self) -> datetime:
        return self.events[0].at

    @property
    def seconds(self) -> float:
        return (self.events[-1].at - self.events[0].at).total_seconds()

    @property
    def person(self) -> str:
        return self.events[0].person

    @property
    def converted(self) -> bool:
        return any(event.name in CONVERSIONS for event in self.events)

    @property
    def journey(self) -> bool:
        return any(event.journey or event.name == "agent.handoff" for event in self.events)

    @property
    def known(self) -> bool:
        return any(event.user for event in self.events)


def visits_of(events: list[Sent]) -> list[Visit]:
    """The visits, bots left out."""
    found = []
    for visitor in sorted({event.visitor for event in events}):
        run: list[Sent] = []
        for event in sorted((event for event in events if event.visitor == visitor), key=lambda event: event.at):
            if event.is_bot or event.name in RECEIPTS:
                continue
            if run and event.at - run[-1].at > GAP:
                found.append(Visit(run))
                run = []
            run.append(event)
        if run:
            found.append(Visit(run))
    return found


@dataclass(frozen=True)
class Recount:
    """What the API must say of the days from `first` to `last`."""

    events: list[Sent]
    first: date
    last: date
    zone: ZoneInfo

    def before(self) -> Recount:
        days = (self.last - self.first).days + 1
        return Recount(self.events, self.first - timedelta(days=days), self.first - timedelta(days=1), self.zone)

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def visits(self) -> list[Visit]:
        return [visit for visit in visits_of(self.events) if self.first <= self.day(visit.began) <= self.last]

    def active(self) -> list[Sent]:
        return [
            event
            for event in self.events
            if self.first <= self.day(event.at) <= self.last and not event.is_bot and event.name not in RECEIPTS
        ]

    def periods(self, width: str) -> list[tuple[date, Callable[[datetime], bool]]]:
        """The first day of each period, and whether an instant is in it."""
        days = [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]
        begins = sorted({period_of(day, width) for day in days})
        return [(begin, lambda at, begin=begin: period_of(self.day(at), width) == begin) for begin in begins]  # type: ignore[misc]

    def newcomers(self, *, known: bool = False) -> dict[str, datetime]:
        """When each person's first visit ever began."""
        firsts: dict[str, datetime] = {}
        for visit in visits_of(self.events):
            if (visit.known or not known) and visit.began < firsts.get(visit.person, visit.began + GAP):
                firsts[visit.person] = visit.began
        return firsts


def period_of(day: date, width: str) -> date:
    """The first day of the period that a day belongs to."""
    if width == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if width == "month" else day


def random_history(random: Random, now: datetime, days: int, count: int) -> list[Sent]:
    """Visits of some browsers and phones in the days before `now`, many of them close to midnight."""
    browsers = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(1, 15)]
    users = {browser: f"user-{random.randrange(4)}" for browser in browsers[:6]}
    bot = browsers[-1]
    phones = [f"25470000000{number}" for number in range(4)]
    events: list[Sent] = []
    for _ in range(count):
        at = now - timedelta(minutes=7 * random.randrange(days * 24 * 60 // 7), hours=1)
        if random.random() < 0.4:
            at = at.replace(hour=random.choice((20, 21, 22, 23)), minute=random.choice((1, 57)))
        at = min(at, now - timedelta(hours=3))
        phone = random.random() < 0.25
        visitor = random.choice(phones if phone else browsers)
        person = visitor if phone else users.get(visitor, visitor)
        for _ in range(random.choice((1, 1, 2, 4))):
            if phone:
                name = random.choice(("message.received", "message.received", "message.read"))
                events.append(Sent(at, name, visitor, person, "whatsapp", visitor))
            else:
                name = random.choice(("page_view", "page_view", "return_filed", "help", "app_error", "agent.handoff"))
                page = random.choice(("/a", "/b", "/c"))
                code = random.choice(("E1", "E2", None)) if name == "app_error" else None
                begins = random.random() < 0.2
                events.append(
                    Sent(at, name, visitor, person, "web", None, begins, visitor == bot, page=page, code=code)
                )
            at += timedelta(minutes=random.choice((1, 9, 28, 37)), microseconds=random.randrange(1_000_000))
    for browser, user in users.items():
        at = now - timedelta(days=random.randrange(2, days), seconds=random.randrange(3_600))
        events.append(Sent(at, "identify", browser, user, "web", user))
    return events
