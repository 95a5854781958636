"""One person: the ids that lead to them, what is known of them, and everything they did, in one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatnation import App, NotFound, Page, Persons, decode_cursor, slice_rows
from chatnation.plugins.dashboard import queries
from chatnation.plugins.dashboard.queries import TimelineEvent

if TYPE_CHECKING:
    from chatnation.plugins.sessions.api import RecentPerson

PERMISSION = "persons.view"
PAGE_SIZE = 50

CHANNEL_ICONS = {
    "web": "world",
    "mobile": "device-mobile",
    "whatsapp": "brand-whatsapp",
    "agent": "headset",
    "ai": "robot",
}


class PersonPages:
    """`/persons` and `/persons/<id>`."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        return [
            Page("//persons", self.search, PERMISSION),
            Page("//persons/{person:uuid}", self.show, PERMISSION),
        ]

    async def search(self, request: Request) -> Response:
        """Find a person by any id of theirs, one that is found is shown at once; or see who was there lately."""
        wanted = request.query_params.get("q", "").strip()[:256]
        tenant_id: int = request.state.actor.tenant.id
        cursor = request.query_params.get("after")
        before = decode_cursor(cursor, (datetime, UUID)) if cursor else None
        found: list[UUID] = []
        async with self._app().storage.tenant(tenant_id) as connection:
            if wanted:
                found = await self._persons.find(connection, tenant_id, wanted)
                if len(found) == 1:
                    return RedirectResponse(f"/persons/{found[0]}", status_code=303)
            recent = await self._recent(connection, tenant_id, before)
        page = slice_rows(recent or [], PAGE_SIZE, lambda person: (person.started_at, person.session_id))
        response: Response = request.state.render(
            "dashboard/persons.html",
            wanted=wanted,
            found=found,
            listed=recent is not None,
            recent=page.items,
            next_cursor=page.next_cursor,
            first_page=cursor is None,
            channel_icons=CHANNEL_ICONS,
        )
        return response

    async def _recent(
        self, connection: AsyncConnection, tenant_id: int, before: tuple[datetime, UUID] | None
    ) -> list[RecentPerson] | None:
        """Who was there lately; None where sessions are switched off."""
        app = self._app()
        if not app.inventory.runs("sessions") or "sessions" not in app.enabled(tenant_id):
            return None
        from chatnation.plugins.sessions.api import recent_persons

        return await recent_persons(connection, tenant_id, before, PAGE_SIZE)

    async def show(self, request: Request) -> Response:
        tenant = request.state.actor.tenant
        asked: UUID = request.path_params["person"]
        cursor = request.query_params.get("after")
        before = decode_cursor(cursor, (datetime, UUID)) if cursor else None
        async with self._app().storage.tenant(tenant.id) as connection:
            person = await self._persons.view(connection, tenant.id, asked)
            if person is None:
                raise NotFound("Nobody is known under this id.")
            if person.person_id != asked:
                return RedirectResponse(f"/persons/{person.person_id}", status_code=303)
            leaf_ids = await self._persons.leaf_ids(connection, tenant.id, asked)
            rows = await queries.timeline(connection, tenant.id, leaf_ids, before, PAGE_SIZE)
        page = slice_rows(rows, PAGE_SIZE, lambda event: (event.timestamp, event.message_id))
        response: Response = request.state.render(
            "dashboard/person.html",
            person=person,
            days=by_day(page.items, ZoneInfo(tenant.timezone)),
            next_cursor=page.next_cursor,
            first_page=cursor is None,
            channel_icons=CHANNEL_ICONS,
        )
        return response

    @property
    def _persons(self) -> Persons:
        return self._app().services.get(Persons)


def by_day(events: Sequence[TimelineEvent], zone: ZoneInfo) -> list[tuple[date, list[TimelineEvent]]]:
    """Events in the order given, gathered under their day in `zone`."""
    return [
        (day, list(group)) for day, group in groupby(events, key=lambda event: event.timestamp.astimezone(zone).date())
    ]
