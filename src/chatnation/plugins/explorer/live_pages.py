"""`/events`: what comes in, as it comes in; any event in detail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatnation import App, IngestLedger, NotFound, Page, Persons, Problem, Projects
from chatnation.plugins.dashboard.api import (
    AnalyticsPage,
    Card,
    Chart,
    Kpi,
    View,
    address,
    channel_name,
    country_name,
    ranked_chart,
)
from chatnation.plugins.explorer import definitions
from chatnation.plugins.explorer.chips import bar_with
from chatnation.plugins.explorer.event_query import PAGE_SIZE, WINDOWS, EventQuery
from chatnation.plugins.explorer.moments import CHANNEL_ICONS, is_error, moment
from chatnation.plugins.explorer.session_events import events_of_session
from chatnation.plugins.explorer.uuids import uuid_of
from chatnation.query import Analytics, Breakdown, EventRow, Events, Measure, NamesPersons, Range, Series, Timeseries

VIEW, EXPORT, PERSONS = "analytics.view", "analytics.export", "persons.view"
PATH = "/events"
MOST_NAMES = 200
MOST_REJECTIONS = 20
_MICROSECOND = timedelta(microseconds=1)
EventView = View[EventQuery]


class EventPage(AnalyticsPage[EventQuery]):
    """A page whose search heeds what whoever searches may see."""

    def view(self, request: Request) -> EventView:
        view = super().view(request)
        view.query.seen_by(view.actor)
        return view


class LivePages:
    """`/events`, its rows by themselves for pages that follow, and one event in detail."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app
        cards = [
            Card("figures", "", self.figures, width=12, refresh=15),
            Card("names", "Events by name", self.names, width=12, refresh=30, metric="explorer.names"),
        ]
        self._page = EventPage(
            app,
            "explorer",
            PATH,
            "Events",
            cards,
            query=EventQuery,
            metrics=definitions.METRICS,
            granular=False,
            comparable=False,
            template="explorer/events.html",
            values=self.values,
        )

    def pages(self) -> list[Page]:
        show, *others = self._page.pages()
        return [
            replace(show, handler=self.show),
            *others,
            Page(f"/{PATH}/rows", self.rows, VIEW),
            Page(f"/{PATH}/{{message:uuid}}", self.event, VIEW),
        ]

    async def show(self, request: Request) -> Response:
        """The page; a search for the id of a session or a person leads there."""
        view = self._page.view(request)
        found = uuid_of(view.query.q)
        if found is not None:
            changes = await self._called(view, found)
            if changes:
                return RedirectResponse(view.url(q=None, after=None, **changes), status_code=303)
        return await self._page.show(request)

    async def rows(self, request: Request) -> Response:
        """The newest rows alone, for a page that follows what comes in."""
        view = self._page.view(request)
        events, _ = await self._events(view)
        return _render(request, "explorer/event_rows.html", view, events=events, now=view.now)

    async def values(self, view: EventView) -> dict[str, Any]:
        query = view.query
        range_ = query.range_of(view.period, view.now)
        events, next_cursor = await self._events(view)
        offered = await view.ask(Breakdown(range=range_, by=("event_name",), limit=MOST_NAMES, include_bots=query.bots))
        own: dict[str, list[object]] = {name: list(values) for name, values in query.fields.items()}
        own |= {name: [value] for name in ("q", "person", "session") if (value := getattr(query, name))}
        own["where"] = list(query.where)
        if query.bots:
            own["bots"] = [True]
        question = replace(query.question(range_), after=None)
        export = {} if query.session else {kind: export_url(question, kind) for kind in ("csv", "json")}
        return {
            **_shared(view),
            "events": events,
            "windows": WINDOWS,
            "names": sorted(row.values[0] for row in offered.rows if row.values[0]),
            "chips": bar_with(view, ("device", "country", "channel", "journey"), own),
            "live": query.after is None and range_.end >= view.now and query.session is None,
            "first_url": view.url(after=None) if query.after else None,
            "next_url": view.url(after=next_cursor) if next_cursor else None,
            "rows_url": address(f"{PATH}/rows", query.parameters()),
            "rejections": await self._rejections(view, range_),
            "projects": {
                each.id: each.name for each in await view.app.services.get(Projects).list(view.tenant.id)
            },
            "export": export if view.may_export else {},
        }  # fmt: skip

    async def figures(self, view: EventView) -> Sequence[Kpi]:
        """How many events, of how many people in how many sessions."""
        query, range_ = view.query, view.query.range_of(view.period, view.now)
        answer = await view.ask(
            Timeseries(
                range=range_,
                filters=query.all_conditions(),
                include_bots=query.bots,
                series=(
                    Series("events", query.select),
                    Series("persons", query.select, Measure("persons")),
                    Series("sessions", query.select, Measure("sessions")),
                ),
                granularity="hour" if query.window else view.granularity,
                compare=True,
            )
        )
        about = {
            "events": ("Events", definitions.EVENTS, "explorer.events"),
            "persons": ("Persons", definitions.EVENT_PERSONS, "explorer.event_persons"),
            "sessions": ("Sessions", definitions.EVENT_SESSIONS, "explorer.event_sessions"),
        }
        return [
            Kpi(
                label,
                answer.line(name).total or 0,
                definition,
                answer.before(name).total or 0,
                link="#rows" if name == "events" else None,
                metric=metric,
                trend=() if query.window else answer.line(name).values,
            )
            for name, (label, definition, metric) in about.items()
        ]

    async def names(self, view: EventView) -> Chart:
        """Which events these are."""
        query = view.query
        answer = await view.ask(
            Breakdown(
                range=query.range_of(view.period, view.now),
                filters=query.all_conditions(),
                include_bots=query.bots,
                series=(Series("Events", query.select),),
                by=("event_name",),
                limit=10,
            )
        )
        return ranked_chart(answer, "Event", link=lambda name: view.url(event_name=name, after=None) if name else None)

    async def event(self, request: Request) -> Response:
        """One event: a page of its own, or what a dialog shows."""
        message: UUID = request.path_params["message"]
        try:
            at = datetime.fromisoformat(request.query_params.get("at", ""))
        except ValueError:
            raise NotFound("There is no such event.") from None
        if at.tzinfo is None:
            raise NotFound("There is no such event.")
        tenant = request.state.actor.tenant
        question = Events(range=Range(at, at + _MICROSECOND), include_bots=True, limit=10_000)
        answer = await self._app().services.get(Analytics).ask(tenant.id, question)
        found = next((event for event in answer.events if event.message_id == message), None)
        if found is None:
            raise NotFound("There is no such event.")
        in_dialog = request.headers.get("x-requested-with") == "dialog"
        template = "explorer/event_detail.html" if in_dialog else "explorer/event.html"
        projects = {each.id: each.name for each in await self._app().services.get(Projects).list(tenant.id)}
        response: Response = request.state.render(
            template,
            event=found,
            moment=moment(found),
            raw=to_json(found, indent=2).decode(),
            project=projects.get(found.project_id, ""),
            country_name=country_name,
            channel_name=channel_name,
            may_see_persons=request.state.actor.can(PERSONS),
            is_error=is_error,
        )
        return response

    async def _events(self, view: EventView) -> tuple[Sequence[EventRow], str | None]:
        """A page of events, and the cursor of the next one."""
        query = view.query
        if query.session is not None:
            return await self._of_session(view, query.session), None
        answer = await view.ask(query.question(query.range_of(view.period, view.now), limit=PAGE_SIZE))
        return answer.events, answer.next_cursor

    async def _of_session(self, view: EventView, session: UUID) -> list[EventRow]:
        app = self._app()
        if not _sessions_run(app, view.tenant.id):
            raise Problem(422, "invalid_request", "Sessions are switched off.")
        from chatnation.plugins.sessions.api import sessions_called

        if not view.actor.can(PERSONS):
            raise NamesPersons("What somebody did in a session")
        async with app.storage.tenant(view.tenant.id) as connection:
            sessions = await sessions_called(connection, view.tenant.id, session)
        analytics = app.services.get(Analytics)
        found = [event for each in sessions for event in await events_of_session(analytics, view.tenant.id, each)]
        names = view.query.event_names
        return [event for event in found[::-1] if not names or event.event_name in names]

    async def _called(self, view: EventView, wanted: UUID) -> dict[str, object]:
        """The filter that an id stands for: that of a session, or of a person."""
        if not view.actor.can(PERSONS):
            return {}
        app, tenant_id = self._app(), view.tenant.id
        async with app.storage.tenant(tenant_id) as connection:
            if _sessions_run(app, tenant_id):
                from chatnation.plugins.sessions.api import sessions_called

                if await sessions_called(connection, tenant_id, wanted):
                    return {"session": wanted}
            persons = await app.services.get(Persons).find(connection, tenant_id, str(wanted))
        return {"person": persons[0]} if len(persons) == 1 else {}

    async def _rejections(self, view: EventView, range_: Range) -> Sequence[Any]:
        """Why events were not accepted, in the minutes that the range touches."""
        since = range_.start.replace(second=0, microsecond=0)
        ledger = view.app.services.get(IngestLedger)
        found = await ledger.rejections(view.tenant.id, since, range_.end + timedelta(minutes=1))
        return [each for each in found if each.outcome == "rejected"][:MOST_REJECTIONS]


def export_url(question: Events, kind: str) -> str:
    """Where the events of a question can be downloaded, all of them but for the instance's limit."""
    return address("/api/query/export", [("format", kind), ("q", to_json(question, exclude_none=True).decode())])


def _sessions_run(app: App, tenant_id: int) -> bool:
    return app.inventory.runs("sessions") and "sessions" in app.enabled(tenant_id)


def _shared(view: EventView) -> dict[str, Any]:
    """What rows need wherever they are drawn."""
    return {
        "country_name": country_name,
        "channel_name": channel_name,
        "channel_icons": CHANNEL_ICONS,
        "is_error": is_error,
        "may_see_persons": view.actor.can(PERSONS),
    }


def _render(request: Request, template: str, view: EventView, **values: Any) -> Response:
    response: Response = request.state.render(template, view=view, **_shared(view), **values)
    return response
