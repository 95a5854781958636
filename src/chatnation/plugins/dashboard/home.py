"""The first page, and what people see who may see nothing else."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatnation import AUTHENTICATED, App, Page


SETTINGS = "/settings"
"""In everybody's menu, for their own account; nothing to begin a day with."""


class HomePages:
    """`/` leads to the first entry of one's menu that shows something of the organisation."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        return [Page("//", self.home, AUTHENTICATED), Page("//dashboard", self.home, AUTHENTICATED)]

    async def home(self, request: Request) -> Response:
        for group in request.state.render.navigation():
            for entry in group.entries:
                if entry.path != SETTINGS:
                    return RedirectResponse(entry.path, status_code=303)
        response: Response = request.state.render("dashboard/welcome.html")
        return response
