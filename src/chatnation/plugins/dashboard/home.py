"""The first page, and what people see who may see nothing else."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatnation import AUTHENTICATED, App, Page

ASIDE = {"settings", "system"}
"""Groups of the menu with nothing to begin a day with."""


class HomePages:
    """`/` leads to the first entry of one's menu that is not about settings."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        return [Page("//", self.home, AUTHENTICATED), Page("//dashboard", self.home, AUTHENTICATED)]

    async def home(self, request: Request) -> Response:
        for group in request.state.render.navigation():
            if group.name not in ASIDE:
                return RedirectResponse(group.entries[0].path, status_code=303)
        response: Response = request.state.render("dashboard/welcome.html")
        return response
