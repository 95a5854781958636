"""`/settings`: what there is to set."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.web.routing import AUTHENTICATED, Page
from chatnation.core.web.settings.menu import HOME


class SettingsHome:
    """Every settings page that one may open, to choose from."""

    def pages(self) -> list[Page]:
        return [Page(f"/{HOME}", self.show, AUTHENTICATED)]

    async def show(self, request: Request) -> Response:
        response: Response = request.state.render("settings/home.html")
        return response
