"""A plugin with a bit of everything that the web knows, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from chatnation import (
    AUTHENTICATED,
    PUBLIC,
    IngestRoute,
    Middleware,
    NavigationEntry,
    NotFound,
    Page,
    Permission,
    Plugin,
    Route,
    hookimpl,
    redirect,
)


class Filter(BaseModel):
    """What to look for."""

    colour: list[str] = Field([], description="Any of these.")
    size: int = Field(1, ge=1, le=9, description="How large.")


class Order(BaseModel):
    """What to buy."""

    name: str = Field(max_length=20)
    pieces: int = Field(gt=0)


class Receipt(BaseModel):
    """What was bought."""

    name: str
    pieces: int


class Shop(Plugin):
    """A shop

    With routes, pages, a slot, a middleware and a way in for events.
    """

    name = "shop"
    url_prefix = "corner/shop"

    @hookimpl
    def register_permissions(self) -> Iterable[Permission]:
        return [Permission("shop.buy", "Buy things", frozenset({"super_admin"}))]

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [
            Route("GET", "/things", self.things, PUBLIC, query=Filter),
            Route("GET", "/things/{thing}", self.thing, AUTHENTICATED),
            Route("POST", "/orders", self.order, "shop.buy", body=Order, response=Receipt, status=201),
            Route("DELETE", "/orders/{order:int}", self.cancel, "shop.buy", status=204),
            Route("GET", "/broken", self.broken, PUBLIC),
        ]

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        return [
            Page("", self.window, AUTHENTICATED),
            Page("//till", self.till, "shop.buy"),
            Page("//till", self.pay, "shop.buy", methods=("POST",)),
            Page("/broken", self.broken, PUBLIC),
        ]

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [
            NavigationEntry("Window", "/corner/shop", AUTHENTICATED),
            NavigationEntry("Till", "/till", "shop.buy", group="settings"),
        ]

    @hookimpl
    def register_ingest_routes(self) -> Iterable[IngestRoute]:
        return [IngestRoute("/v9/shop", deliver)]

    @hookimpl
    def register_middleware(self) -> Iterable[Middleware]:
        return [Middleware(Stamp, {"text": "outer"}, order=10), Middleware(Stamp, {"text": "inner"}, order=20)]

    @hookimpl
    async def render_slot(self, slot: str, request: Request) -> Markup | None:
        return Markup("<b>on sale</b>") if slot == "shop.corner" else None

    async def things(self, request: Request, query: Filter) -> dict[str, object]:
        """Everything that is for sale."""
        return {"colour": query.colour, "size": query.size}

    async def thing(self, request: Request) -> dict[str, str]:
        if request.path_params["thing"] == "missing":
            raise NotFound
        return {"thing": request.path_params["thing"], "tenant": request.state.actor.tenant.slug}

    async def order(self, request: Request, body: Order) -> Receipt:
        """Buy something."""
        return Receipt(name=body.name, pieces=body.pieces)

    async def cancel(self, request: Request) -> None:
        """Bring it back."""

    async def broken(self, request: Request) -> Response:
        raise RuntimeError("the password is hunter2")

    async def window(self, request: Request) -> Response:
        response: Response = request.state.render("shop/window.html", goods="<script>alert(1)</script>")
        return response

    async def till(self, request: Request) -> Response:
        response: Response = request.state.render("shop/till.html")
        return response

    async def pay(self, request: Request) -> Response:
        form = await request.form()
        return redirect("/till", notice=f"Paid {form['sum']}.")


class Stamp:
    """Adds a word to a header on the way out."""

    def __init__(self, app: ASGIApp, text: str) -> None:
        self.app = app
        self.text = text

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def stamped(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                assert isinstance(headers, list)
                headers.append((b"x-stamp", self.text.encode()))
            await send(message)

        await self.app(scope, receive, stamped)  # type: ignore[arg-type]


async def deliver(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("delivered")(scope, receive, send)
