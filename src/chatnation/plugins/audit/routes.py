"""The API of the log."""

from __future__ import annotations

from pydantic import BaseModel
from starlette.requests import Request

from chatnation import Route
from chatnation.plugins.audit.queries import AuditEntry, AuditQuery, SealedEntry
from chatnation.plugins.audit.reading import Reader

VIEW = "audit.view"


class AuditPage(BaseModel):
    """Records, newest first."""

    items: list[AuditEntry]
    next_cursor: str | None


class AuditRoutes:
    """Everything under `/api/audit-logs`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def routes(self) -> list[Route]:
        return [
            Route("GET", "", self.list, VIEW, query=AuditQuery, response=AuditPage),
            Route("GET", "/{record_id:int}", self.show, VIEW, response=SealedEntry),
        ]

    async def list(self, request: Request, query: AuditQuery) -> AuditPage:
        """What was done, by whom, when and from where."""
        found = await self._reader.page(request, query)
        return AuditPage(items=found.items, next_cursor=found.next_cursor)

    async def show(self, request: Request) -> SealedEntry:
        """One record, with its place in the chain."""
        return await self._reader.one(request, request.path_params["record_id"])
