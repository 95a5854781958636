"""`/settings`: the first settings page that one may open."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatnation.core.web.routing import AUTHENTICATED, Page
from chatnation.core.web.settings.menu import HOME, MENU


class SettingsHome:
    """Leads to the page; there is none of its own."""

    def pages(self) -> list[Page]:
        return [Page(f"/{HOME}", self._first, AUTHENTICATED)]

    async def _first(self, request: Request) -> Response:
        entries = request.state.render.settings_menu() or MENU
        return RedirectResponse(entries[0].path, status_code=303)
