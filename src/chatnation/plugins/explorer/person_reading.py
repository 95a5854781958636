"""One person: who they are, how their ids came together, and a part of everything they did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import App, NotFound, Persons
from chatnation.plugins.explorer.episodes import Episode, episodes
from chatnation.plugins.explorer.session_reading import SessionReader
from chatnation.query import Analytics, EventsAnswer, Range
from chatnation.query import Events as EventsQuestion

PAGE_EVENTS = 400
"""Events that are read for a page of the timeline."""
SHORTEST, MOST_FOUND = 2, 20
MOST_DAYS = timedelta(days=1_000)
"""A question may be about so much time at once."""
_MICROSECOND = timedelta(microseconds=1)
_NAMES = ("name", "full_name", "fullName", "first_name", "firstName", "email")


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """A person in a list. `kind` and `value` are those of their strongest id; sessions may be None."""

    person_id: UUID
    label: str
    kind: str
    value: str
    events: int
    sessions: int | None
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Totals:
    """What there is of a person in all; None where sessions are switched off."""

    events: int
    sessions: int | None
    conversions: int | None
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class LogLine:
    """An entry of how ids came together, and how it can be taken back: `undo`, `redo`, or not at all."""

    entry: Any
    names: Sequence[tuple[UUID, str]]
    back: str


@dataclass(frozen=True, slots=True)
class Card:
    """A person as their page shows them."""

    person: Any
    label: str
    totals: Totals
    issues: Sequence[Any]
    log: Sequence[LogLine]


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Some episodes, newest first, and the parameters that lead to older ones."""

    episodes: Sequence[Episode]
    older: Mapping[str, str]


class PersonReader:
    """Finds persons and tells about them."""

    def __init__(self, app: Callable[[], App], sessions: SessionReader) -> None:
        self._app = app
        self._sessions = sessions

    async def search(self, tenant_id: int, wanted: str, limit: int) -> list[FoundPerson]:
        """Persons of whom an id, name, e-mail address or number contains the text."""
        async with self._app().storage.tenant(tenant_id) as connection:
            found = await self._persons.search(connection, tenant_id, wanted, limit)
            activity = await self._persons.activity(connection, tenant_id, found)
            sessions = await self._sessions.totals_of_persons(connection, tenant_id, found)
            briefs = await self._persons.briefs(connection, tenant_id, found)
            listed = []
            for person_id in found:
                view = briefs.get(person_id)
                if view is None:
                    continue
                seen, visits = activity.get(person_id), sessions.get(person_id)
                first = view.identities[0]
                listed.append(
                    FoundPerson(
                        person_id=person_id,
                        label=label_of(view),
                        kind=first.kind,
                        value=first.value,
                        events=seen.events if seen else 0,
                        sessions=self._count(tenant_id, visits.sessions if visits else 0),
                        first_seen=seen.first_seen if seen else view.first_seen,
                        last_seen=seen.last_seen if seen else view.last_seen,
                    )
                )
            return listed

    async def card(self, tenant_id: int, asked: UUID) -> Card:
        """Who the person is that the id belongs to; raises NotFound."""
        async with self._app().storage.tenant(tenant_id) as connection:
            person = await self._persons.view(connection, tenant_id, asked)
            if person is None:
                raise NotFound("Nobody is known under this id.")
            leafs = await self._persons.leaf_ids(connection, tenant_id, person.person_id)
            totals = await self._totals(connection, tenant_id, person)
            issues = await self._persons.issues(connection, tenant_id, leafs)
        return Card(person, label_of(person), totals, issues, log_lines(person))

    async def timeline(
        self, tenant_id: int, card: Card, before: datetime | None = None, after: str | None = None
    ) -> TimelinePage:
        """Episodes that began before a time, or that go on after the cursor of a page that ended within one."""
        person_id: UUID = card.person.person_id
        range_ = stretch(card.totals, before)
        if range_ is None:
            return TimelinePage((), {})
        answer = await self.events(tenant_id, person_id, range_, after=after, limit=PAGE_EVENTS)
        events, sessions = answer.events, []
        if events:
            async with self._app().storage.tenant(tenant_id) as connection:
                leafs = await self._persons.leaf_ids(connection, tenant_id, person_id)
                # A session of an episode may have begun before the part of it that is on this page.
                start, end = events[-1].timestamp - timedelta(days=1), events[0].timestamp + _MICROSECOND
                sessions = await self._sessions.of_person(connection, tenant_id, leafs, start, end)
        found = episodes(events, sessions, more=answer.next_cursor is not None)
        return TimelinePage(found, _older(found, answer, range_, card.totals))

    async def events(
        self, tenant_id: int, person_id: UUID, range_: Range, *, after: str | None = None, limit: int
    ) -> EventsAnswer:
        """The person's events, known bots' too, newest first."""
        question = EventsQuestion(range=range_, person_id=person_id, include_bots=True, limit=limit, after=after)
        return await self._app().services.get(Analytics).ask(tenant_id, question)

    async def _totals(self, connection: AsyncConnection, tenant_id: int, person: Any) -> Totals:
        who = [person.person_id]
        seen = (await self._persons.activity(connection, tenant_id, who)).get(person.person_id)
        visits = (await self._sessions.totals_of_persons(connection, tenant_id, who)).get(person.person_id)
        return Totals(
            events=seen.events if seen else 0,
            sessions=self._count(tenant_id, visits.sessions if visits else 0),
            conversions=self._count(tenant_id, visits.converted if visits else 0),
            first_seen=seen.first_seen if seen else person.first_seen,
            last_seen=seen.last_seen if seen else person.last_seen,
        )

    def _count(self, tenant_id: int, count: int) -> int | None:
        return count if self._sessions.runs(tenant_id) else None

    @property
    def _persons(self) -> Persons:
        return self._app().services.get(Persons)


def stretch(totals: Totals, before: datetime | None) -> Range | None:
    """The time in which a person's newest events are, or the newest before a time; None where there are none."""
    end = totals.last_seen + _MICROSECOND
    if before is not None:
        end = min(end, before)
    if not totals.events or end <= totals.first_seen:
        return None
    return Range(max(totals.first_seen, end - MOST_DAYS), end)


def _older(
    found: Sequence[Episode], answer: EventsAnswer, range_: Range, totals: Totals
) -> dict[str, str]:  # fmt: skip
    """The parameters of the next page, if there is one."""
    if answer.next_cursor is not None and found and found[-1].continues:
        return {"after": answer.next_cursor, "before": range_.end.isoformat()}
    if answer.next_cursor is not None and found:
        return {"before": found[-1].started_at.isoformat()}
    return {"before": range_.start.isoformat()} if range_.start > totals.first_seen else {}


def label_of(person: Any) -> str:
    """What a person is called: by name, else by their strongest id."""
    for key in _NAMES:
        value = person.traits.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()[:100]
    first = person.identities[0]
    return first.value if first.kind in ("user", "phone", "handle") else f"Visitor {str(person.person_id)[:8]}"


def log_lines(person: Any) -> list[LogLine]:
    """How the ids came together, newest first. A merge can be undone while what it joined is one person."""
    names = {each.leaf_id: each.value for each in person.identities}
    removed = {frozenset((link.a, link.b)) for link in person.links if link.removed_at is not None}
    lines = []
    for entry in person.log:
        back = ""
        cause = entry.detail.get("cause") or {}
        if entry.action == "merge" and {cause.get("a"), cause.get("b")} <= set(map(str, names)):
            back = "undo"
        pairs = [frozenset(map(UUID, pair)) for pair in entry.detail.get("removed") or ()]
        if entry.action == "split" and removed.intersection(pairs):
            back = "redo"
        lines.append(LogLine(entry, [(leaf, names.get(leaf, str(leaf)[:8])) for leaf in entry.leaf_ids], back))
    return lines
