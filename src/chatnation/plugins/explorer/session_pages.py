"""`/sessions`: which there were, and each with everything that happened in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatnation import App, Page, csv_stream, record_export
from chatnation.plugins.dashboard.api import PRESETS, SESSION_FILTERS, Kpi, View, channel_name, country_name, percent_of
from chatnation.plugins.explorer import definitions
from chatnation.plugins.explorer.chips import bar_with
from chatnation.plugins.explorer.episodes import runs
from chatnation.plugins.explorer.moments import CHANNEL_ICONS, moments
from chatnation.plugins.explorer.session_events import MOST, events_of_session
from chatnation.plugins.explorer.session_query import SessionQuery
from chatnation.plugins.explorer.session_reading import SessionReader
from chatnation.query import Analytics, Measure, Series, Timeseries, TimeseriesAnswer

VIEW, EXPORT, PERSONS = "analytics.view", "analytics.export", "persons.view"
PATH = "/sessions"


class SessionPages:
    """The list, its download, and one session."""

    def __init__(self, app: Callable[[], App], reader: SessionReader) -> None:
        self._app = app
        self._reader = reader

    def pages(self) -> list[Page]:
        return [
            Page(f"/{PATH}", self.show, VIEW),
            Page(f"/{PATH}/export.csv", self.download, EXPORT),
            Page(f"/{PATH}/{{session:uuid}}", self.session, VIEW),
        ]

    async def show(self, request: Request) -> Response:
        view = self._view(request)
        query, actor = view.query, view.actor
        found = await self._reader.page(actor, view.period, query)
        totals = await self._reader.totals(actor, view.period, query)
        before = await self._reader.totals(actor, view.previous, query)
        response: Response = request.state.render(
            "explorer/sessions.html",
            view=view,
            period=view.period,
            previous=view.previous,
            presets=PRESETS,
            kpis=figures(totals, before, await self._persons(view)),
            rows=found.items,
            chips=bar_with(view, SESSION_FILTERS, query.own_filters()),
            first_url=view.url(after=None) if query.after else None,
            next_url=view.url(after=found.next_cursor) if found.next_cursor else None,
            csv_url=view.url(f"{PATH}/export.csv", after=None) if view.may_export else None,
            **_shared(view.actor),
        )
        return response

    async def download(self, request: Request) -> Response:
        """All sessions of the list as CSV, as many as the instance lets out."""
        view = self._view(request)
        most = self._app().settings.query_export_rows
        total = (await self._reader.totals(view.actor, view.period, view.query)).sessions
        columns = [field.name for field in fields(_row_class()) if field.name not in ("visitor", "hint")]

        async def chunks() -> AsyncIterator[Sequence[Sequence[object]]]:
            async for rows in self._reader.all(view.actor, view.period, view.query, most):
                yield [[getattr(row, name) for name in columns] for row in rows]

        counted = {"rows": min(total, most), "cut": total > most}
        await record_export(self._app(), request, "list", PATH, **view.asked, **counted)
        return csv_stream(f"sessions-{view.period.first_day}-{view.period.last_day}.csv", columns, chunks())

    async def session(self, request: Request) -> Response:
        """One session; of several with the same id from their client, the latest, with links to the others."""
        asked: UUID = request.path_params["session"]
        actor = request.state.actor
        found = await self._reader.called(actor, asked)
        if len(found) == 1 and found[0].session_id != asked:
            return RedirectResponse(f"{PATH}/{found[0].session_id}", status_code=303)
        session = found[-1]
        events = await events_of_session(self._app().services.get(Analytics), actor.tenant.id, session)
        response: Response = request.state.render(
            "explorer/session.html",
            session=session,
            others=found[:-1],
            events=events,
            runs=runs(moments(events)),
            most=MOST,
            show_all=request.query_params.get("all") == "1",
            **_shared(actor),
        )
        return response

    async def _persons(self, view: View[SessionQuery]) -> TimeseriesAnswer | None:
        """How many persons are behind the sessions; None where that cannot be asked."""
        conditions = view.query.all_conditions()
        if conditions is None:
            return None
        return await view.ask(
            Timeseries(
                range=view.range,
                source="sessions",
                filters=conditions,
                include_bots=view.query.bots,
                series=(Series("persons", measure=Measure("persons")),),
                granularity=view.granularity,
                compare=True,
            )
        )

    def _view(self, request: Request) -> View[SessionQuery]:
        return View.of(self._app(), request, PATH, SessionQuery.of(request.query_params))


def figures(now: Any, before: Any, persons: TimeseriesAnswer | None) -> list[Kpi]:
    """What the listed sessions add up to, against the period before."""
    found = [
        Kpi(
            "Sessions",
            now.sessions,
            definitions.SESSIONS,
            before.sessions,
            link="#rows",
            metric="explorer.sessions",
        ),
        Kpi(
            "Converted",
            percent_of(now.converted, now.sessions),
            definitions.CONVERTED,
            percent_of(before.converted, before.sessions),
            unit="percent",
            detail=f"{now.converted:,} sessions",
            metric="explorer.converted",
        ),
    ]
    if persons is not None:
        people = Kpi(
            "Persons",
            persons.line("persons").total or 0,
            definitions.SESSION_PERSONS,
            persons.before("persons").total or 0,
            metric="explorer.session_persons",
        )
        found.insert(1, people)
    return found


def _row_class() -> Any:
    from chatnation.plugins.sessions.api import SessionRow

    return SessionRow


def _shared(actor: Any) -> dict[str, Any]:
    return {
        "country_name": country_name,
        "channel_name": channel_name,
        "channel_icons": CHANNEL_ICONS,
        "may_see_persons": actor.can(PERSONS),
    }
