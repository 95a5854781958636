"""`/settings/people`."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.auth.refusals import NotAllowed
from chatnation.core.auth.tenant_roles import TenantRole, check_grantable
from chatnation.core.errors import ChatnationError
from chatnation.core.web.notices import redirect
from chatnation.core.web.problems import as_problem
from chatnation.core.web.routing import Page
from chatnation.core.web.settings.people import People
from chatnation.core.web.settings.people_routes import LARGEST_ID, PERMISSION

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.context import Actor

PATH = "/settings/people"


class PeoplePages:
    """Members with what may be done to each, and who was invited."""

    def __init__(self, app: App) -> None:
        self._people = People(app)
        self._clock = app.clock

    def pages(self) -> list[Page]:
        def post(path: str, handler: object) -> Page:
            return Page(f"/{PATH}{path}", handler, PERMISSION, methods=("POST",))  # type: ignore[arg-type]

        return [
            Page(f"/{PATH}", self.show, PERMISSION),
            post("/invite", self.invite),
            post("/{user:int}/role", self.change_role),
            post("/{user:int}/deactivate", self.deactivate),
            post("/{user:int}/reactivate", self.reactivate),
            post("/invitations/{invitation:int}/resend", self.resend),
            post("/invitations/{invitation:int}/revoke", self.revoke),
        ]

    async def show(self, request: Request) -> Response:
        actor: Actor = request.state.actor
        roles = await self._people.roles(actor)
        grantable = [role for role in roles if _may_give(actor, role)]
        response: Response = request.state.render(
            "settings/people.html",
            members=await self._people.members(actor),
            invitations=await self._people.invitations(actor),
            roles=grantable,
            touchable={role.key for role in grantable},
            now=self._clock.now(),
        )
        return response

    async def invite(self, request: Request) -> Response:
        form = await request.form()
        email, role = str(form.get("email", ""))[:254], str(form.get("role", ""))[:100]
        return await _answer(self._people.invite(request, email, role), f"{email} is invited.")

    async def change_role(self, request: Request) -> Response:
        role = str((await request.form()).get("role", ""))[:100]
        return await _answer(self._people.change_role(request, _id(request, "user"), role), "The role is changed.")

    async def deactivate(self, request: Request) -> Response:
        done = self._people.deactivate(request, _id(request, "user"))
        return await _answer(done, "Deactivated; whatever they had open has ended.")

    async def reactivate(self, request: Request) -> Response:
        return await _answer(self._people.reactivate(request, _id(request, "user")), "Active again.")

    async def resend(self, request: Request) -> Response:
        done = self._people.resend(request, _id(request, "invitation"))
        return await _answer(done, "The invitation is on its way again; the link before is void.")

    async def revoke(self, request: Request) -> Response:
        return await _answer(self._people.revoke(request, _id(request, "invitation")), "The invitation is void.")


async def _answer(work: Awaitable[object], notice: str) -> Response:
    """Back to the list, with what was done or why it was not."""
    try:
        await work
    except ChatnationError as error:
        problem = as_problem(error)
        if problem.status >= 500:
            raise
        return redirect(PATH, notice=problem.detail, kind="danger")
    return redirect(PATH, notice=notice)


def _may_give(actor: Actor, role: TenantRole) -> bool:
    try:
        check_grantable(actor, role)
    except NotAllowed:
        return False
    return True


def _id(request: Request, name: str) -> int:
    return min(int(request.path_params[name]), LARGEST_ID)
