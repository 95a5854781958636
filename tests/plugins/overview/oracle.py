"""A recount of the overview in plain Python, from the same sessions, slowly and obviously."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

DEVICES = ("mobile", "desktop", "tablet", None)
BROWSERS = ("Chrome", "Safari", "Firefox", None)
COUNTRIES = ("KE", "UG", "DE", None)


@dataclass(frozen=True)
class Visit:
    """A session as the oracle sees it."""

    session_id: UUID
    leaf: UUID
    started_at: datetime
    ended_at: datetime
    page_count: int
    is_bot: bool
    converted: bool
    journey: bool
    user_id: str | None
    device_type: str | None
    browser_name: str | None
    country_code: str | None


def random_visits(random: Random, around: datetime, days: int, count: int) -> list[Visit]:
    """Visits in the days before and after an instant; many of them close to midnight, where mistakes are made."""
    leaves = [UUID(int=random.getrandbits(128)) for _ in range(max(2, count // 3))]
    visits = []
    for _ in range(count):
        start = around + timedelta(seconds=random.uniform(-days, days) * 86_400)
        if random.random() < 0.4:
            start = start.replace(hour=random.choice((21, 22, 23, 0)), minute=random.choice((0, 59)), second=0)
        length = random.choice((timedelta(0), timedelta(seconds=random.uniform(0, 7200), microseconds=1)))
        visits.append(
            Visit(
                session_id=UUID(int=random.getrandbits(128)),
                leaf=random.choice(leaves),
                started_at=start,
                ended_at=start + length,
                page_count=random.randrange(9),
                is_bot=random.random() < 0.1,
                converted=random.random() < 0.3,
                journey=random.random() < 0.5,
                user_id=random.choice((None, None, "A1")),
                device_type=random.choice(DEVICES),
                browser_name=random.choice(BROWSERS),
                country_code=random.choice(COUNTRIES),
            )
        )
    return visits


def random_merges(random: Random, visits: Sequence[Visit]) -> dict[UUID, UUID]:
    """Some leaves that belong to the person of another."""
    leaves = sorted({visit.leaf for visit in visits})
    canonical = leaves[:2]
    return {leaf: random.choice(canonical) for leaf in leaves[2:] if random.random() < 0.3}


@dataclass(frozen=True)
class Recount:
    """What the API must say about the visits that began from `start` up to `end`."""

    visits: list[Visit]
    merges: dict[UUID, UUID]
    start: datetime
    end: datetime
    zone: ZoneInfo

    @property
    def counted(self) -> list[Visit]:
        return [visit for visit in self.visits if self.start <= visit.started_at < self.end and not visit.is_bot]

    def persons(self, visits: Sequence[Visit]) -> set[UUID]:
        return {self.merges.get(visit.leaf, visit.leaf) for visit in visits}

    def figures(self) -> dict[str, float]:
        visits = self.counted
        seconds = sum((visit.ended_at - visit.started_at).total_seconds() for visit in visits)
        conversions = sum(visit.converted for visit in visits)
        return {
            "total_sessions": len(visits),
            "journey_sessions": sum(visit.journey for visit in visits),
            "total_users": len(self.persons(visits)),
            "identified_users": len(self.persons([visit for visit in visits if visit.user_id])),
            "page_views": sum(visit.page_count for visit in visits),
            "conversions": conversions,
            "conversion_rate": conversions / len(visits) if visits else 0,
            "avg_session_duration": seconds / len(visits) if visits else 0,
        }

    def days(self) -> list[tuple[str, int, int]]:
        """Date, sessions and persons of each local day that the period touches."""
        day = self.start.astimezone(self.zone).date()
        last = (self.end - timedelta(microseconds=1)).astimezone(self.zone).date()
        rows = []
        while day <= last:
            visits = [visit for visit in self.counted if visit.started_at.astimezone(self.zone).date() == day]
            rows.append((day.isoformat(), len(visits), len(self.persons(visits))))
            day += timedelta(days=1)
        return rows

    def heatmap(self) -> Counter[tuple[int, int]]:
        """Sessions by weekday, 0 is Sunday, and local hour."""
        cells: Counter[tuple[int, int]] = Counter()
        for visit in self.counted:
            local = visit.started_at.astimezone(self.zone)
            cells[(local.weekday() + 1) % 7, local.hour] += 1
        return cells

    def by(self, attribute: str) -> Counter[str]:
        """Sessions by an attribute of theirs."""
        return Counter(getattr(visit, attribute) or "Unknown" for visit in self.counted)


def utc(*fields: int) -> datetime:
    return datetime(*fields, tzinfo=UTC)  # type: ignore[arg-type,misc]
