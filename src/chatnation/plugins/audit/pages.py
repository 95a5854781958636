"""The pages of the log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlencode

import msgspec
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from chatnation import Page, Problem, csv_stream
from chatnation.plugins.audit.queries import AuditEntry, AuditQuery
from chatnation.plugins.audit.reading import CSV_ROWS, Reader

VIEW = "audit.view"
PATH = "/audit-logs"
_COLUMNS = (
    *("id", "recorded_at", "action", "actor_type", "actor_id", "actor_name", "resource_type", "resource_id"),
    *("details", "ip_address", "user_agent"),
)


class AuditPages:
    """`/audit-logs` and what it leads to."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def pages(self) -> list[Page]:
        return [
            Page("", self.show, VIEW),
            Page("/export.csv", self.download, VIEW),
            Page("/{record_id:int}", self.detail, VIEW),
        ]

    async def show(self, request: Request) -> Response:
        query = _query(request)
        found = await self._reader.page(request, query)
        filters = query.filters()
        return self._render(
            request,
            "audit/log.html",
            rows=found.items,
            query=query,
            filters=filters,
            choices=await self._reader.choices(request),
            path_of_log=PATH,
            first_url=_link(PATH, filters) if query.after else None,
            next_url=_link(PATH, {**filters, "after": found.next_cursor}) if found.next_cursor else None,
            csv_url=_link(f"{PATH}/export.csv", filters),
            csv_rows=CSV_ROWS,
        )

    async def detail(self, request: Request) -> Response:
        entry = await self._reader.one(request, request.path_params["record_id"])
        details = msgspec.json.format(msgspec.json.encode(entry.details), indent=2).decode()
        return self._render(request, "audit/record.html", entry=entry, details=details, path_of_log=PATH)

    async def download(self, request: Request) -> Response:
        query = _query(request)

        async def rows() -> AsyncIterator[Sequence[Sequence[object]]]:
            async for entries in self._reader.export(request, query):
                yield [_cells(entry) for entry in entries]

        return csv_stream("audit-log.csv", _COLUMNS, rows())

    def _render(self, request: Request, template: str, **values: object) -> Response:
        response: Response = request.state.render(template, **values)
        return response


def _cells(entry: AuditEntry) -> list[object]:
    given = entry.model_dump()
    given["recorded_at"] = entry.recorded_at.isoformat()
    given["details"] = msgspec.json.encode(entry.details).decode()
    return [given[column] for column in _COLUMNS]


def _query(request: Request) -> AuditQuery:
    """The filters of the address; fields of a form that were left empty are not set."""
    given = {name: value for name, value in request.query_params.items() if value.strip()}
    try:
        return AuditQuery.model_validate(given)
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        where = ".".join(map(str, fault["loc"]))
        raise Problem(422, "invalid_request", f"The filter {where} cannot be used: {fault['msg']}.") from None


def _link(path: str, parameters: dict[str, str]) -> str:
    return f"{path}?{urlencode(parameters)}" if parameters else path
