from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from chatnation import PUBLIC, App, LoginEnding, LoginProvider, Page, Plugin, Problem, hookimpl


class BadgesPlugin(Plugin):
    """Sign in with a badge"""

    name = "badges"

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    @hookimpl
    def register_login_providers(self) -> Iterable[LoginProvider]:
        return [LoginProvider("badge", "Sign in with your badge", "/badges", icon="id-badge")]

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        return [Page("", self.enter, PUBLIC)]

    async def enter(self, request: Request) -> Response:
        user_id = await self._user_of(request.headers.get("x-badge", ""))
        if user_id is None:
            raise Problem(401, "unknown_badge", "Nobody has this badge.")
        return await self._app.services.get(LoginEnding).finish(request, user_id)

    async def _user_of(self, badge: str) -> int | None:
        """The user who holds a badge."""
        return None
