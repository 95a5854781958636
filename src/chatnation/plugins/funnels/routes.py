"""The API of funnels."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from chatnation import App, Problem, Route
from chatnation.plugins.funnels.address import said
from chatnation.plugins.funnels.answers import FunnelBody, FunnelResult, SavedBody, SavedChange
from chatnation.plugins.funnels.queries import SavedFunnel
from chatnation.plugins.funnels.results import result
from chatnation.plugins.funnels.saving import MANAGE, SavedFunnels
from chatnation.query import Analytics, Range

VIEW = "analytics.view"


class SavedList(BaseModel):
    """The funnels that are kept, by name."""

    items: list[SavedFunnel]


class FunnelRoutes:
    """Everything under `/api/funnel`."""

    def __init__(self, app: Callable[[], App], saved: SavedFunnels) -> None:
        self._app = app
        self._saved = saved

    def routes(self) -> list[Route]:
        one = "/saved/{funnel:uuid}"
        return [
            Route("POST", "", self.funnel, VIEW, body=FunnelBody, response=FunnelResult),
            Route("GET", "/saved", self.list, VIEW, response=SavedList),
            Route("POST", "/saved", self.create, MANAGE, body=SavedBody, response=SavedFunnel, status=201),
            Route("GET", one, self.show, VIEW, response=SavedFunnel),
            Route("PATCH", one, self.change, MANAGE, body=SavedChange, response=SavedFunnel),
            Route("DELETE", one, self.delete, MANAGE, status=204),
        ]

    async def funnel(self, request: Request, body: FunnelBody) -> FunnelResult:
        """How many go through some steps, where they drop off, and how long it takes."""
        try:
            definition = body.definition()
        except ValidationError as error:
            fault = error.errors(include_input=False, include_url=False)[0]
            raise Problem(422, "invalid_funnel", said(fault["msg"])) from None
        tenant = request.state.actor.tenant
        period = body.resolve(tenant.timezone, self._app().clock.now())
        stretch = Range(period.start, period.end, period.timezone)
        question = definition.question(stretch, body.filters, body.granularity, compare=body.compare)
        answer = await self._app().services.get(Analytics).ask(tenant.id, question)
        return result(definition, answer, stretch)

    async def list(self, request: Request) -> SavedList:
        """The funnels that are kept."""
        return SavedList(items=await self._saved.all(request))

    async def show(self, request: Request) -> SavedFunnel:
        """One of them."""
        return await self._saved.one(request, request.path_params["funnel"])

    async def create(self, request: Request, body: SavedBody) -> SavedFunnel:
        """Keep a funnel under a name."""
        return await self._saved.create(request, body.name, body.definition)

    async def change(self, request: Request, body: SavedChange) -> SavedFunnel:
        """Give it another name, other steps and options, or both."""
        return await self._saved.update(request, request.path_params["funnel"], body.name, body.definition)

    async def delete(self, request: Request) -> None:
        """Forget it."""
        await self._saved.delete(request, request.path_params["funnel"])
