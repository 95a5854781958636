"""The route and the page of the keywords plugin."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from chatnation import App, Page, Problem, Route
from chatnation_keywords import queries
from chatnation_keywords.queries import KeywordCount

VIEW = "analytics.view"


class Period(BaseModel):
    """How far to look back."""

    days: int = Field(30, ge=1, le=366, description="Days up to now.")


class Count(BaseModel):
    """In how many messages a keyword occurred, and the last day on which it did."""

    keyword: str
    messages: int
    last_day: date


class Counts(BaseModel):
    """The keywords that occurred, the most frequent first."""

    days: int
    keywords: list[Count]


class KeywordViews:
    """`app` gives the running app; it is not there yet when routes and pages are registered."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def routes(self) -> list[Route]:
        return [Route("GET", "/", self.show, VIEW, query=Period, response=Counts)]

    def pages(self) -> list[Page]:
        return [Page("/", self.page, VIEW)]

    async def show(self, request: Request, query: Period) -> Counts:
        """In how many inbound WhatsApp messages each keyword occurred."""
        found = await self._counts(request, query)
        return Counts(
            days=query.days,
            keywords=[Count(keyword=row.keyword, messages=row.messages, last_day=row.last_day) for row in found],
        )

    async def page(self, request: Request) -> Response:
        try:
            period = Period.model_validate(dict(request.query_params))
        except ValidationError:
            raise Problem(422, "invalid_request", "`days` is a number from 1 to 366.") from None
        counts = await self._counts(request, period)
        response: Response = request.state.render("keywords/keywords.html", period=period, counts=counts)
        return response

    async def _counts(self, request: Request, period: Period) -> list[KeywordCount]:
        app, tenant = self._app(), request.state.actor.tenant
        since = app.clock.now() - timedelta(days=period.days)
        async with app.storage.tenant(tenant.id) as connection:
            return await queries.counts_since(connection, tenant.id, since, tenant.timezone)
