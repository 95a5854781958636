"""From what plugins registered to what the router calls: parameters in, permission checked, answer out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, TypeVar, get_origin

import pydantic_core
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from chatnation.core.errors import ChatnationError, Problem
from chatnation.core.plugin.boundary import Boundary
from chatnation.core.plugin.resources import Registered
from chatnation.core.storage.errors import is_unstorable_text
from chatnation.core.web.open_streams import EVENT_STREAM, while_admitted
from chatnation.core.web.problems import INTERNAL_ERROR, invalid
from chatnation.core.web.routing import Page, Route
from chatnation.core.web.templating import Rendered

Model = TypeVar("Model", bound=BaseModel)
Endpoint = Callable[[Request], Awaitable[Response]]
Admit = Callable[[Request, str, str], Awaitable[None]]
"""`admit(request, plugin, permission)` returns when the request may go on, and raises a `Problem` otherwise."""
StillAdmits = Callable[[Request, str, str], Awaitable[bool]]
"""`still_admits(request, plugin, permission)`: whether a request that was let in would be let in now."""


class Endpoints:
    """Makes the endpoints of an app. What a plugin's handler raises by accident is counted against the plugin."""

    def __init__(self, admit: Admit, still_admits: StillAdmits, boundary: Boundary) -> None:
        self._admit = admit
        self._still_admits = still_admits
        self._boundary = boundary

    def route(self, registered: Registered[Route]) -> Endpoint:
        """The endpoint of a JSON route."""
        plugin, route = registered.plugin, registered.item

        async def endpoint(request: Request) -> Response:
            async with closing(request):
                await self._admit(request, plugin, route.permission)
                arguments: dict[str, BaseModel] = {}
                if route.query is not None:
                    arguments["query"] = parse_query(request, route.query)
                if route.body is not None:
                    arguments["body"] = await parse_body(request, route.body)
                with self._watched(plugin, f"route:{route.method} {route.path}"):
                    answer = await route.handler(request, **arguments)
            if isinstance(answer, StreamingResponse) and answer.media_type == EVENT_STREAM:
                still = partial(self._still_admits, request, plugin, route.permission)
                answer.body_iterator = while_admitted(answer.body_iterator, still)
            return _json(answer, route)

        return endpoint

    def page(self, registered: Registered[Page]) -> Endpoint:
        """The endpoint of an HTML page, drawn here so that a failing template counts against its plugin as well."""
        plugin, page = registered.plugin, registered.item

        async def endpoint(request: Request) -> Response:
            async with closing(request):
                await self._admit(request, plugin, page.permission)
                with self._watched(plugin, f"page:{page.path}"):
                    response = await page.handler(request)
                    if isinstance(response, Rendered):
                        await response.prepare()
                    return response

        return endpoint

    @contextmanager
    def _watched(self, plugin: str, where: str) -> Iterator[None]:
        try:
            yield
        except (ChatnationError, HTTPException):
            raise
        except Exception as error:
            if is_unstorable_text(error):
                raise Problem(422, "invalid_request", "A text with a NUL character in it cannot be kept.") from None
            self._boundary.note(plugin, where, error)
            raise Problem(500, "internal_error", INTERNAL_ERROR) from error


@asynccontextmanager
async def closing(request: Request) -> AsyncIterator[None]:
    """Close the files of a form, whoever read it and whatever came of it."""
    try:
        yield
    finally:
        await request.close()


def parse_query(request: Request, model: type[Model]) -> Model:
    """The query string as a `model`; raises a 422 that lists the faults. A field that is a list takes every value."""
    given = request.query_params
    values: dict[str, Any] = {name: given.getlist(name)[-1] for name in given}
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key in values and get_origin(field.annotation) in {list, set, frozenset, tuple}:
            values[key] = given.getlist(key)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid(error, "query") from None


async def parse_body(request: Request, model: type[Model]) -> Model:
    """The JSON body as a `model`; raises 400, 413, 415 or 422."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise Problem(415, "unsupported_media_type", "Send JSON, with the content type application/json.")
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        if error.errors(include_input=False)[0]["type"] == "json_invalid":
            raise Problem(400, "invalid_json", "The body is not JSON.") from None
        raise invalid(error, "body") from None


def _json(answer: Any, route: Route) -> Response:
    if isinstance(answer, Response):
        return answer
    if answer is None and route.status == 204:
        return Response(status_code=204)
    if route.response is not None and not isinstance(answer, route.response):
        answer = route.response.model_validate(answer, from_attributes=True)
    content = pydantic_core.to_json(answer)
    return Response(content, status_code=route.status, media_type="application/json")
