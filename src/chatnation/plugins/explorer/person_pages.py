"""`/journey` and `/persons/<id>`: finding a person, and their one timeline across all channels."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatnation import (
    App,
    NotFound,
    Page,
    PersonExporter,
    Persons,
    Problem,
    audit_of,
    decode_cursor,
    record_of,
    redirect,
    slice_rows,
)
from chatnation.plugins.dashboard.api import channel_name, country_name
from chatnation.plugins.explorer.moments import CHANNEL_ICONS
from chatnation.plugins.explorer.person_reading import MOST_FOUND, SHORTEST, PersonReader
from chatnation.plugins.explorer.session_reading import CURSOR, SessionReader

if TYPE_CHECKING:
    from chatnation.plugins.sessions.api import RecentPerson

VIEW, MERGE, EXPORT = "persons.view", "persons.merge", "persons.export"
JOURNEY = "/journey"
PAGE_SIZE = 50


class PersonPages:
    """Search, list, one person, and what can be done about who is who."""

    def __init__(self, app: Callable[[], App], reader: PersonReader, sessions: SessionReader) -> None:
        self._app = app
        self._reader = reader
        self._sessions = sessions

    def pages(self) -> list[Page]:
        return [
            Page(f"/{JOURNEY}", self.find, VIEW),
            Page(f"/{JOURNEY}/found", self.found, VIEW),
            Page("//persons", self.old_list, VIEW),
            Page("//persons/{person:uuid}", self.show, VIEW),
            Page("//persons/{person:uuid}/export.json", self.export, EXPORT),
            Page("//persons/{person:uuid}/log/{change:int}/undo", self.undo, MERGE, methods=("POST",)),
            Page("//persons/{person:uuid}/log/{change:int}/redo", self.redo, MERGE, methods=("POST",)),
        ]

    async def find(self, request: Request) -> Response:
        """Whom a text leads to; somebody whose very id it is, is shown at once. Without one, who was there lately."""
        wanted, tenant_id = _wanted(request), request.state.actor.tenant.id
        cursor = request.query_params.get("after")
        before = decode_cursor(cursor, CURSOR) if cursor else None
        async with self._app().storage.tenant(tenant_id) as connection:
            exact = await self._persons.find(connection, tenant_id, wanted) if wanted else []
            if len(exact) == 1:
                return RedirectResponse(f"/persons/{exact[0]}", status_code=303)
            recent = None if wanted else await self._recent(connection, tenant_id, before)
        found = await self._reader.search(tenant_id, wanted, MOST_FOUND) if wanted else []
        page = slice_rows(recent or [], PAGE_SIZE, lambda person: (person.started_at, person.session_id))
        response: Response = request.state.render(
            "explorer/persons.html",
            wanted=wanted,
            found=found,
            listed=recent is not None,
            recent=page.items,
            next_cursor=page.next_cursor,
            first_page=cursor is None,
            channel_icons=CHANNEL_ICONS,
            channel_name=channel_name,
            shortest=SHORTEST,
            most=MOST_FOUND,
        )
        return response

    async def found(self, request: Request) -> Response:
        """The persons that a text leads to, for a search that answers while one types."""
        wanted = _wanted(request)
        found = await self._reader.search(request.state.actor.tenant.id, wanted, MOST_FOUND) if wanted else []
        response: Response = request.state.render(
            "explorer/persons_found.html", wanted=wanted, found=found, shortest=SHORTEST, most=MOST_FOUND
        )
        return response

    async def old_list(self, request: Request) -> Response:
        """Where the list used to be."""
        query = urlencode(list(request.query_params.multi_items()))
        return RedirectResponse(f"{JOURNEY}?{query}" if query else JOURNEY, status_code=308)

    async def show(self, request: Request) -> Response:
        actor, asked = request.state.actor, request.path_params["person"]
        given = request.query_params
        card = await self._reader.card(actor.tenant.id, asked)
        person_id: UUID = card.person.person_id
        if person_id != asked:
            return RedirectResponse(f"/persons/{person_id}", status_code=303)
        before, after = _time(given.get("before")), given.get("after") or None
        page = await self._reader.timeline(actor.tenant.id, card, before, after)
        show_all = given.get("all") == "1"
        kept = {"all": "1"} if show_all else {}
        response: Response = request.state.render(
            "explorer/person.html",
            card=card,
            person=card.person,
            page=page,
            show_all=show_all,
            first_page=not (given.get("before") or given.get("after")),
            first_url=_person_url(person_id, kept),
            older_url=_person_url(person_id, {**kept, **page.older}) if page.older else None,
            all_url=_person_url(person_id, {} if show_all else {"all": "1"}),
            channel_icons=CHANNEL_ICONS,
            channel_name=channel_name,
            country_name=country_name,
            may_merge=actor.can(MERGE),
            may_export=actor.can(EXPORT),
        )
        return response

    async def export(self, request: Request) -> Response:
        """Everything that is kept about a person, as JSON."""
        tenant, asked = request.state.actor.tenant, request.path_params["person"]
        exported = await self._app().services.get(PersonExporter).export(tenant, asked)
        person_id = exported["person"]["person_id"]
        async with self._app().storage.tenant(tenant.id) as connection:
            record = record_of(request, "person.exported", "person", person_id)
            await audit_of(self._app()).record(connection, record)
        headers = {
            "Content-Disposition": f'attachment; filename="person-{person_id}.json"',
            "Cache-Control": "no-store",
        }
        return Response(to_json(exported, indent=2), media_type="application/json", headers=headers)

    async def undo(self, request: Request) -> Response:
        """Split what a merge joined."""
        await self._take_back(request, merge=True)
        return redirect(_person_url(request.path_params["person"], {}), notice="The ids are split.")

    async def redo(self, request: Request) -> Response:
        """Take a split back."""
        await self._take_back(request, merge=False)
        return redirect(_person_url(request.path_params["person"], {}), notice="The ids are joined again.")

    async def _take_back(self, request: Request, *, merge: bool) -> None:
        actor, entry = request.state.actor, request.path_params["change"]
        asked: UUID = request.path_params["person"]
        async with self._app().storage.tenant(actor.tenant.id) as connection:
            person = await self._persons.view(connection, actor.tenant.id, asked)
            wanted = "merge" if merge else "split"
            if person is None or entry not in {each.id for each in person.log if each.action == wanted}:
                raise NotFound(f"There is no such {wanted} of this person.")
            take_back = self._persons.undo_merge if merge else self._persons.undo_split
            await take_back(connection, actor.tenant.id, entry, by=actor.email or actor.name)
            action = "person.split" if merge else "person.joined"
            record = record_of(request, action, "person", person.person_id, entry=entry)
            await audit_of(self._app()).record(connection, record)

    async def _recent(
        self, connection: AsyncConnection, tenant_id: int, before: tuple[datetime, UUID] | None
    ) -> list[RecentPerson] | None:
        """Who was there lately; None where sessions are switched off."""
        if not self._sessions.runs(tenant_id):
            return None
        from chatnation.plugins.sessions.api import recent_persons

        return await recent_persons(connection, tenant_id, before, PAGE_SIZE)

    @property
    def _persons(self) -> Persons:
        return self._app().services.get(Persons)


def _wanted(request: Request) -> str:
    return request.query_params.get("q", "").strip()[:256]


def _time(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise Problem(400, "invalid_cursor", "We did not give out this address; start from the first page.")
    return time


def _person_url(person_id: UUID, parameters: dict[str, str]) -> str:
    return f"/persons/{person_id}?{urlencode(parameters)}" if parameters else f"/persons/{person_id}"
