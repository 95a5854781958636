"""`/settings/security`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.context import Actor
from chatnation.core.errors import ChatnationError, Problem
from chatnation.core.web.cookies import SESSION_COOKIE, delete_cookie
from chatnation.core.web.notices import redirect
from chatnation.core.web.problems import as_problem
from chatnation.core.web.routing import Page
from chatnation.core.web.settings.security import PASSWORDS, PERMISSION, SECOND_FACTOR, Security
from chatnation.core.web.settings.security_routes import SecuritySettings, checked_settings

if TYPE_CHECKING:
    from chatnation.core.app import App

PATH = "/settings/security"
_LOCKED = {
    SECOND_FACTOR: ("second_factor_required",),
    PASSWORDS: tuple(name for name in SecuritySettings.model_fields if name.startswith("password_")),
}
"""Fields that need a permission besides that of the page."""


class SecurityPages:
    """One form for everything, and a button that signs everybody out."""

    def __init__(self, app: App) -> None:
        self._security = Security(app)

    def pages(self) -> list[Page]:
        return [
            Page(f"/{PATH}", self.show, PERMISSION),
            Page(f"/{PATH}", self.change, PERMISSION, methods=("POST",)),
            Page(f"/{PATH}/sign-everybody-out", self.sign_out, PERMISSION, methods=("POST",)),
        ]

    async def show(self, request: Request) -> Response:
        return self._page(request, SecuritySettings.of(*await self._security.read(request)).model_dump())

    async def change(self, request: Request) -> Response:
        form = await request.form()
        values = SecuritySettings.of(*await self._security.read(request)).model_dump()
        for name, held in list(values.items()):
            if name not in _locked(request.state.actor):
                values[name] = form.get(name) == "on" if isinstance(held, bool) else str(form.get(name, ""))[:10]
        try:
            wanted = checked_settings(values)
            await self._security.change(request, wanted.policy(), wanted.rules())
        except ChatnationError as error:
            problem = as_problem(error)
            if problem.status >= 500:
                raise
            return self._page(request, values, problem)
        return redirect(PATH, notice="Saved. It holds from now on, also for who is signed in.")

    async def sign_out(self, request: Request) -> Response:
        await self._security.sign_everybody_out(request)
        response = redirect("/login", notice="Everybody is signed out.")
        delete_cookie(response, request, SESSION_COOKIE)
        return response

    def _page(self, request: Request, values: dict[str, Any], problem: Problem | None = None) -> Response:
        response: Response = request.state.render(
            "settings/security.html",
            status=problem.status if problem else 200,
            values=values,
            locked=_locked(request.state.actor),
            problem=problem,
        )
        return response


def _locked(actor: Actor) -> frozenset[str]:
    """Fields that the actor sees but may not change."""
    return frozenset(name for permission, names in _LOCKED.items() if not actor.can(permission) for name in names)
