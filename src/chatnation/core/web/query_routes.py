"""`/api/query`: any question of the model, asked over HTTP, and its answer as JSON or as a download."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field
from pydantic_core import to_jsonable_python
from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.audit import audit_of
from chatnation.core.query.checks import question_of
from chatnation.core.query.model import Events, Listing, Query
from chatnation.core.query.runner import QueryRunner
from chatnation.core.query.wire import AnyAnswer, Asked, read, read_text, write
from chatnation.core.web.audited import record_export, record_of
from chatnation.core.web.connected import while_connected
from chatnation.core.web.query_export import Export
from chatnation.core.web.routing import Route

if TYPE_CHECKING:
    from chatnation.core.app import App

MAX_BODY_BYTES = 1_000_000
LONGEST_RECORDED = 10_000
"""Bytes of a question that the audit log keeps."""
MAX_LINK = 30_000
"""Servers and proxies take no longer addresses."""


class Download(BaseModel):
    """How an answer is downloaded."""

    format: Literal["csv", "json"] = Field("csv", description="`csv` for spreadsheets, `json` for programs.")
    table: str | None = Field(
        None, max_length=50, description="Which of the answer's tables; without it, the first. A wrong one lists them."
    )


class Link(BaseModel):
    """A question in an address."""

    q: str = Field(max_length=MAX_LINK, description="The question as JSON, as the body of a POST would have it.")


class DownloadLink(Download, Link):
    """A question in an address, and how its answer is downloaded."""


class QueryRoutes:
    """Asking, and exporting. Answers carry an ETag, by which a GET tells that nothing changed."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def routes(self) -> list[Route]:
        view, export, longest = "analytics.view", "analytics.export", MAX_BODY_BYTES
        return [
            Route("POST", "/query", self.ask, view, body=Asked, response=AnyAnswer, max_bytes=longest),
            Route("GET", "/query", self.ask_by_link, view, query=Link, response=AnyAnswer),
            Route("POST", "/query/export", self.export, export, query=Download, body=Asked, max_bytes=longest),
            Route("GET", "/query/export", self.export_by_link, export, query=DownloadLink),
        ]

    async def ask(self, request: Request, body: Asked) -> Response:
        """Answer a question."""
        return await self._answer(request, self._read(request, body), known=frozenset())

    async def ask_by_link(self, request: Request, query: Link) -> Response:
        """Answer the question in an address, which can be kept, sent to others, and asked whether anything changed."""
        return await self._answer(request, self._read(request, query), known=_known_tags(request))

    async def export(self, request: Request, query: Download, body: Asked) -> Response:
        """The answer to a question as a table to download, whole but for the limit on rows."""
        return await self._export(request, self._read(request, body), query)

    async def export_by_link(self, request: Request, query: DownloadLink) -> Response:
        """The answer to the question in an address as a table to download."""
        return await self._export(request, self._read(request, query), query)

    def _read(self, request: Request, given: Asked | Link) -> Query:
        timezone, now = request.state.actor.tenant.timezone, self._app().clock.now()
        return read_text(given.q, timezone, now) if isinstance(given, Link) else read(given.root, timezone, now)

    async def _answer(self, request: Request, question: Query, known: frozenset[str]) -> Response:
        runner, tenant_id = self._app().services.get(QueryRunner), request.state.actor.tenant.id
        found = await while_connected(request, runner.find(tenant_id, question, unless=known))
        headers = {
            "ETag": f'W/"{found.tag}"',
            "Cache-Control": "private, no-cache",
            "Vary": "Authorization, Cookie",
        }
        if found.answer is None:
            return Response(status_code=304, headers=headers)
        return Response(write(found.answer), media_type="application/json", headers=headers)

    async def _export(self, request: Request, question: Query, how: Download) -> Response:
        runner, tenant_id = self._app().services.get(QueryRunner), request.state.actor.tenant.id
        export = Export(lambda query: runner.ask(tenant_id, query), self._app().settings.query_export_rows)
        download = await while_connected(request, export.begin(question, how.table))
        name = f"{question.kind}.{download.table.name}"
        about = {"question": recorded(question), "format": how.format}
        if download.rows is not None:
            counted = {"rows": download.rows, "cut": download.certainly_cut}
            await record_export(self._app(), request, "query", name, **about, **counted)
            return download.response(how.format)
        await record_export(self._app(), request, "query", name, **about)

        async def ended(rows: int, cut: bool) -> None:
            record = record_of(request, "report.table.export_ended", "query", name, rows=rows, cut=cut)
            async with self._app().storage.tenant(tenant_id) as connection:
                await audit_of(self._app()).record(connection, record)

        return download.response(how.format, ended)


def recorded(question: Query) -> dict[str, Any]:
    """A question as the audit log tells it; of a very long one what kind it is, and which time it is about."""
    told: dict[str, Any] = to_jsonable_python(question, inf_nan_mode="strings")
    if isinstance(question, Events | Listing):
        del told["limit"]  # A download goes on from page to page, however long these were to be.
    if len(write(question)) <= LONGEST_RECORDED:
        return told
    about = question_of(question)
    stretch = to_jsonable_python(about.range)
    return {"kind": question.kind, "range": stretch, "source": about.source, "shortened": True}


def _known_tags(request: Request) -> frozenset[str]:
    """The tags that the client has, without what marks them as weak."""
    given = request.headers.get("if-none-match", "").split(",")
    return frozenset(tag.strip().removeprefix("W/").strip('"') for tag in given)
