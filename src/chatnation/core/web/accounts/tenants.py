"""The organisations that one belongs to, and which of them one is at: list, current, change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.audit import audit_of
from chatnation.core.auth.effective import Standings
from chatnation.core.auth.login_flow import LoginFlow, LoginState
from chatnation.core.auth.ongoing import proof_of
from chatnation.core.auth.refusals import NotAllowed
from chatnation.core.auth.tenant_choice import tenant_of_user
from chatnation.core.errors import ChatnationError
from chatnation.core.web.accounts.models import LoginAnswer
from chatnation.core.web.accounts.visitors import visitor_of
from chatnation.core.web.audited import record_of
from chatnation.core.web.notices import redirect
from chatnation.core.web.problems import as_problem
from chatnation.core.web.routing import AUTHENTICATED, Page, Route

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.context import Actor
    from chatnation.core.web.accounts.answers import Answers


class TenantDetails(BaseModel):
    """An organisation, and what one is there."""

    slug: str = Field(description="Handle, also in addresses.")
    name: str
    role: str
    current: bool = Field(description="Whether one is there now.")


class TenantList(BaseModel):
    """The organisations that one may be at."""

    tenants: list[TenantDetails]


class ChosenTenant(BaseModel):
    """Where to be from now on."""

    tenant: str = Field(max_length=50, description="Handle of the organisation.")


class CurrentTenant:
    """`/api/tenants`, `/api/tenants/current` and the menu at the top of every page."""

    def __init__(self, app: App, answers: Answers) -> None:
        self._app = app
        self._answers = answers
        self._standings = app.services.get(Standings)

    def pages(self) -> list[Page]:
        return [Page("//choose-organisation", self.choose_on_page, AUTHENTICATED, methods=("POST",))]

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/tenants", self.list, AUTHENTICATED, response=TenantList),
            Route("PUT", "/tenants/current", self.choose, AUTHENTICATED, body=ChosenTenant, response=LoginAnswer),
        ]

    async def list(self, request: Request) -> TenantList:
        """The organisations that you may be at."""
        actor: Actor = request.state.actor
        if actor.user_id is None:
            return TenantList(tenants=[_current(actor)])
        found = await self._standings.choices(actor.user_id)
        return TenantList(
            tenants=[
                TenantDetails(
                    slug=tenant.slug, name=tenant.name, role=tenant.role, current=tenant.slug == actor.tenant.slug
                )
                for tenant in found
            ]
        )

    async def choose(self, request: Request, body: ChosenTenant) -> Response:
        """Be at another of your organisations; it may ask for what it asks at a login. The answer is that of one."""
        return self._answers.json(request, await self._choose(request, body.tenant))

    async def choose_on_page(self, request: Request) -> Response:
        wanted = str((await request.form()).get("tenant", ""))[:50]
        try:
            state = await self._choose(request, wanted)
        except ChatnationError as error:
            problem = as_problem(error)
            if problem.status >= 500:
                raise
            return redirect("/", notice=problem.detail, kind="danger")
        return await self._answers.page(request, state)

    async def _choose(self, request: Request, slug: str) -> LoginState:
        """Begin a login at the other tenant, in place of the one here: it may want a second factor that this did not.

        Raises Unknown, NotAllowed.
        """
        actor: Actor = request.state.actor
        flow, visitor = self._app.services.get(LoginFlow), visitor_of(request)
        if actor.user_id is None or visitor.session_token is None:
            raise NotAllowed(
                "Only somebody who signed in with a browser chooses; a key or token belongs to one tenant."
            )
        async with self._app.storage.system("another tenant of a user") as connection:
            chosen = await tenant_of_user(connection, actor.user_id, slug)
            record = record_of(request, "auth.tenant.chosen", "tenant", chosen.slug, tenant_id=chosen.id)
            await audit_of(self._app).record(connection, record)
            proof, second_factor = await proof_of(connection, visitor.session_token)
            return await flow.begin(
                connection,
                actor.user_id,
                proof,
                visitor,
                tenant_id=chosen.id,
                second_factor_shown=second_factor,
            )


def _current(actor: Actor) -> TenantDetails:
    return TenantDetails(slug=actor.tenant.slug, name=actor.tenant.name, role=actor.role, current=True)
