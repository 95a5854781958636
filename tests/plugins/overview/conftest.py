"""An instance with a tenant in a time zone, and ways to fill it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import insert, text

from chatnation.core.query.segments.builder import SegmentBuilder
from chatnation.plugins.sessions.api import sessions
from chatnation.testing.apps import MakeApp, Person, RunningApp, Source
from chatnation.testing.clock import FakeClock
from tests.plugins.overview.oracle import Visit

NOW = datetime(2025, 6, 15, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Office:
    """A running app, a tenant, and a client of its admin."""

    app: RunningApp
    source: Source
    admin: Person
    client: httpx.AsyncClient
    clock: FakeClock

    @property
    def tenant_id(self) -> int:
        return self.source.tenant.id

    async def get(self, path: str, **parameters: str) -> Any:
        """The JSON that the API answers."""
        answer = await self.client.get(f"/api/overview{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def sessions(self, **parameters: str) -> Any:
        """The list of sessions that numbers lead to."""
        answer = await self.client.get("/api/sessions", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def store(self, visits: Iterable[Visit]) -> None:
        """Put visits where the projection would."""
        rows = [row(self.source, visit) for visit in visits]
        if rows:
            async with self.app.app.storage.tenant(self.tenant_id) as connection:
                await connection.execute(insert(sessions), rows)

    async def merge(self, merges: Mapping[UUID, UUID]) -> None:
        """Say that leaves belong to other persons, and note it as the core does."""
        async with self.app.app.storage.tenant(self.tenant_id) as connection:
            for leaf, person in merges.items():
                await connection.execute(_MERGE, {"tenant": self.tenant_id, "leaf": leaf, "person": person})
                await connection.execute(_LOG, {"tenant": self.tenant_id, "person": person, "leafs": [leaf]})


async def open_office(make_app: MakeApp, timezone: str = "Africa/Nairobi", now: datetime = NOW) -> Office:
    """An office in a time zone, at a time."""
    clock = FakeClock(now)
    app = await make_app(clock=clock)
    source = await app.source(timezone=timezone)
    admin = await app.person(source.tenant)
    return Office(app, source, admin, await app.client(admin), clock)


def row(source: Source, visit: Visit) -> dict[str, Any]:
    """A visit as a row of `sessions.sessions`."""
    return {
        "tenant_id": source.tenant.id,
        "project_id": source.project.id,
        "session_id": visit.session_id,
        "visitor": visit.leaf,
        "hint": uuid4(),
        "person_id": visit.leaf,
        "started_at": visit.started_at,
        "ended_at": visit.ended_at,
        "converted_at": visit.started_at if visit.converted else None,
        "journey_at": visit.started_at if visit.journey else None,
        "event_count": visit.page_count + 1,
        "page_count": visit.page_count,
        "is_bot": visit.is_bot,
        "channel_type": "web",
        "user_id": visit.user_id,
        "device_type": visit.device_type,
        "browser_name": visit.browser_name,
        "country_code": visit.country_code,
    }


async def build_columns(app: RunningApp) -> None:
    """Do what the job does every few minutes: copy what changed into columns."""
    await SegmentBuilder.of(app.app).run()


def days(count: int) -> timedelta:
    return timedelta(days=count)


_MERGE = text("INSERT INTO person_merges (tenant_id, leaf_id, person_id) VALUES (:tenant, :leaf, :person)")
_LOG = text(
    "INSERT INTO identity_log (tenant_id, action, person_id, leaf_ids)"
    " VALUES (:tenant, 'merge', :person, to_jsonb(CAST(:leafs AS uuid[])))"
)
