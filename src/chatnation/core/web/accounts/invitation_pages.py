"""`/invitation`, where the link of an invitation leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.auth.refusals import BadLink
from chatnation.core.errors import ChatnationError, Problem
from chatnation.core.web.accounts.invitations import Answering
from chatnation.core.web.accounts.password_routes import LONGEST
from chatnation.core.web.notices import redirect
from chatnation.core.web.problems import as_problem
from chatnation.core.web.routing import AUTHENTICATED, PUBLIC, Page

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.web.accounts.answers import Answers

PATH = "/invitation"


class InvitationPages:
    """To accept as who one is, or to become somebody."""

    def __init__(self, app: App, answers: Answers) -> None:
        self._answering = Answering(app)
        self._answers = answers

    def pages(self) -> list[Page]:
        return [
            Page(f"/{PATH}", self.show, PUBLIC),
            Page(f"/{PATH}/claim", self.claim, PUBLIC, methods=("POST",)),
            Page(f"/{PATH}/accept", self.accept, AUTHENTICATED, methods=("POST",)),
        ]

    async def show(self, request: Request) -> Response:
        return await self._page(request, request.query_params.get("token", ""))

    async def claim(self, request: Request) -> Response:
        form = await request.form()
        token, name, password = (str(form.get(field, ""))[:LONGEST] for field in ("token", "name", "password"))
        try:
            state = await self._answering.claim(request, token, name[:100], password)
        except ChatnationError as error:
            return await self._page(request, token, name=name, problem=_shown(error))
        return await self._answers.page(request, state)

    async def accept(self, request: Request) -> Response:
        token = str((await request.form()).get("token", ""))[:200]
        try:
            accepted = await self._answering.accept(request, token)
        except ChatnationError as error:
            return await self._page(request, token, problem=_shown(error))
        return redirect("/", notice=f"You belong to {accepted.tenant.name} now; choose it in the menu at the top.")

    async def _page(self, request: Request, token: str, *, name: str = "", problem: Problem | None = None) -> Response:
        void = ""
        try:
            opened = await self._answering.open(request, token)
        except BadLink as error:
            opened, void = None, str(error)
        response: Response = request.state.render(
            "accounts/invitation.html",
            status=problem.status if problem and opened else 200,
            invitation=opened,
            token=token,
            name=name,
            problem=problem if opened else None,
            void=void,
        )
        response.headers.update(problem.headers if problem else {})
        return response


def _shown(error: ChatnationError) -> Problem:
    problem = as_problem(error)
    if problem.status >= 500:
        raise error
    return problem
