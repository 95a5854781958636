"""From answers to the numbers of journeys: pure arithmetic, the same for the page and the API."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from chatnation.plugins.dashboard.api import percent_change, percent_of
from chatnation.plugins.journeys.labels import UNKNOWN, Labels, folded
from chatnation.plugins.journeys.questions import ASSISTED, COMPLETED, HANDED_OVER
from chatnation.query import BreakdownAnswer, OutcomeCounts, OutcomesAnswer


@dataclass(frozen=True, slots=True)
class Journeys:
    """Journeys by what became of them. Those in progress are in no rate."""

    assisted: int = 0
    completed: int = 0
    abandoned: int = 0
    in_progress: int = 0

    @classmethod
    def of(cls, counts: OutcomeCounts) -> Journeys:
        return cls(counts.outcomes[ASSISTED], counts.outcomes[COMPLETED], counts.none, counts.open)

    @property
    def total(self) -> int:
        """All that are over."""
        return self.self_serve + self.assisted

    @property
    def self_serve(self) -> int:
        return self.completed + self.abandoned

    @property
    def started(self) -> int:
        return self.total + self.in_progress

    def share(self, part: int) -> float | None:
        """A part of the total in percent; None without any journey."""
        return percent_of(part, self.total)

    def __add__(self, other: Journeys) -> Journeys:
        return Journeys(
            self.assisted + other.assisted,
            self.completed + other.completed,
            self.abandoned + other.abandoned,
            self.in_progress + other.in_progress,
        )


@dataclass(frozen=True, slots=True)
class NamedJourneys:
    """Journeys of one name. `values`: how events write it; `ended`: how many came to their end, helped or not."""

    name: str
    label: str
    values: tuple[str, ...]
    journeys: Journeys
    ended: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """How often a name occurs, and its share of all in percent. `values`: how events write it."""

    name: str
    label: str
    count: int
    share: float
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Handoffs:
    """Hand-offs of a period: every one lies in a journey, or is a chat that an agent took without one before."""

    total: int
    without_journey: int

    @property
    def in_journeys(self) -> int:
        return self.total - self.without_journey


@dataclass
class _Group:
    values: list[str] = field(default_factory=list)
    journeys: Journeys = field(default_factory=Journeys)
    ended: int = 0


def by_name(answer: OutcomesAnswer, ended: OutcomesAnswer, labels: Labels) -> list[NamedJourneys]:
    """Journeys by name, the most frequent first; names that differ in case alone are one."""
    groups: dict[str, _Group] = defaultdict(_Group)
    for found in answer.groups:
        group = groups[folded(found.value or UNKNOWN)]
        group.values.append(found.value or UNKNOWN)
        group.journeys += Journeys.of(found.counts)
    for found in ended.groups:
        groups[folded(found.value or UNKNOWN)].ended += found.counts.outcomes[COMPLETED]
    named = [
        NamedJourneys(group.values[0], labels.label(group.values[0]), tuple(group.values), group.journeys, group.ended)
        for group in groups.values()
        if group.values
    ]
    return sorted(named, key=lambda one: (-one.journeys.started, one.label))


def ranked(answer: BreakdownAnswer, labels: Labels) -> list[Ranked]:
    """Hand-offs by a value, the most frequent first; those without one are `unknown`."""
    counts: dict[str, int] = defaultdict(int)
    values: dict[str, list[str]] = defaultdict(list)
    named = [(row.values[0] or UNKNOWN, row) for row in answer.rows]
    for value, row in [*named, *([("other", answer.other)] if answer.other else [])]:
        counts[folded(value)] += int(row.measures[0] or 0)
        values[folded(value)].append(value)
    total = sum(counts.values())
    found = [
        Ranked(values[key][0], labels.label(values[key][0]), count, 100 * count / total, tuple(values[key]))
        for key, count in counts.items()
        if count
    ]
    return sorted(found, key=lambda one: (-one.count, one.name))


def handoffs_of(answer: OutcomesAnswer, found: BreakdownAnswer) -> Handoffs:
    """How the hand-offs of a period add up."""
    return Handoffs(int(found.total.measures[0] or 0), answer.outside[HANDED_OVER])


def half_change(parts: Sequence[Journeys]) -> float:
    """How the assisted rate of the second half of a trend differs from that of the first, in percent."""
    middle = len(parts) // 2
    first, second = (_sum(half) for half in (parts[:middle], parts[middle:]))
    return percent_change(second.share(second.assisted) or 0, first.share(first.assisted) or 0)


def _sum(parts: Iterable[Journeys]) -> Journeys:
    return sum(parts, Journeys())


def in_words(seconds: float | None) -> str:
    """A length of time, such as `1h 4m` or `42s`; empty for none."""
    if seconds is None:
        return ""
    whole = round(seconds)
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    parts = [f"{days}d"] if days else []
    parts += [f"{hours}h"] if hours else []
    parts += [f"{minutes}m"] if minutes and not days else []
    parts += [f"{whole % 60}s"] if whole < 3_600 and (whole % 60 or not whole) else []
    return " ".join(parts)
