"""The outbox as a page and in the API."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from chatnation import App, NotFound, Page, Route, Slice
from chatnation.plugins.email.queries import OutboxEntry, OutboxQuery, page
from chatnation.plugins.email.settings import DriverName, EmailSettings

PERMISSION = "settings.manage"
PATH = "/settings/outbox"


class OutboxPage(BaseModel):
    """Mails, newest first."""

    items: list[OutboxEntry]
    next_cursor: str | None


class OutboxViews:
    """`/settings/outbox` and `/api/email/outbox`."""

    def __init__(self, app: Callable[[], App], settings: EmailSettings) -> None:
        self._app = app
        self._settings = settings

    def pages(self) -> list[Page]:
        return [Page(f"/{PATH}", self.show, PERMISSION)]

    def routes(self) -> list[Route]:
        return [Route("GET", "/outbox", self.list, PERMISSION, query=OutboxQuery, response=OutboxPage)]

    async def list(self, request: Request, query: OutboxQuery) -> OutboxPage:
        """Mails in the tenant's name and what became of them; never what they said."""
        found = await self._page(request, query)
        return OutboxPage(items=found.items, next_cursor=found.next_cursor)

    async def show(self, request: Request) -> Response:
        given = {name: value for name, value in request.query_params.items() if value}
        try:
            query = OutboxQuery.model_validate(given)
        except ValidationError:
            raise NotFound("There is no such list.") from None
        found = await self._page(request, query)
        kept = {"state": query.state} if query.state else {}
        response: Response = request.state.render(
            "email/outbox.html",
            rows=found.items,
            query=query,
            path_of_outbox=PATH,
            silent=self._settings.driver is DriverName.CONSOLE,
            first_url=f"{PATH}?{urlencode(kept)}" if query.after else None,
            next_url=f"{PATH}?{urlencode({**kept, 'after': found.next_cursor})}" if found.next_cursor else None,
        )
        return response

    async def _page(self, request: Request, query: OutboxQuery) -> Slice[OutboxEntry]:
        tenant_id: int = request.state.actor.tenant.id
        async with self._app().storage.tenant(tenant_id) as connection:
            return await page(connection, tenant_id, query)
