"""What plugins register to be reached over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Scope

Handler = Callable[..., Awaitable[Any]]
PUBLIC: Literal["public"] = "public"
"""The permission of a route that anybody may call."""
AUTHENTICATED: Literal["authenticated"] = "authenticated"
"""The permission of a route that any signed-in actor may call."""
LIMITED: Literal["limited"] = "limited"
"""As `AUTHENTICATED`, and open even to somebody who first has to set up the second factor that the tenant asks for."""


@dataclass(frozen=True, slots=True)
class Route:
    """A JSON route under `/api/<prefix>`; `path` starting with `//` is taken from `/api` (`//sessions` → `/api/sessions`).

    `handler(request)` also gets `query` and `body` as keyword arguments where the models are given; it returns a
    `response` model, JSON-ready data, or a Starlette response. `permission` is a registered name, `PUBLIC` or
    `AUTHENTICATED`; a route without one does not compose. `form` describes a multipart form that the handler reads
    itself; `max_bytes` is the longest body, instead of what the dashboard takes, and wants a path without parameters.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    handler: Handler
    permission: str
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    response: type[BaseModel] | None = None
    summary: str = ""
    status: int = 200
    form: type[BaseModel] | None = None
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """An HTML page under `/<prefix>`; `path` starting with `//` is taken from the root (`//overview` → `/overview`).

    `handler(request)` returns a Starlette response, usually `request.state.render(template, **values)`. `max_bytes` as
    for a `Route`.
    """

    path: str
    handler: Callable[[Request], Awaitable[Response]]
    permission: str
    methods: tuple[str, ...] = ("GET",)
    name: str = ""
    max_bytes: int | None = None


Header = tuple[bytes, bytes]


class Answer(NamedTuple):
    """An answer that is ready to be sent."""

    status: int
    headers: Sequence[Header]
    """All of them, content type and length included."""
    body: bytes


Respond = Callable[[Answer], None]
"""Sends the answer to a request; called once."""

AtOnce = Callable[[Scope, bytes, Respond], bool]
"""Answers a request by `respond` rather than as an ASGI application; see `IngestRoute`."""


@dataclass(frozen=True, slots=True)
class IngestRoute:
    """A path on the collector, served by a plain ASGI application with no middleware around it.

    A segment may be a parameter, `{name}`, found in `scope["path_params"]`; exact paths are quicker.

    `at_once(scope, body, respond)` is for the core's own hottest path: our server asks it first about a POST whose body is
    complete. True: it calls `respond(answer)`, now or later, exactly once. False: it did nothing, and `app` is asked.
    """

    path: str
    app: ASGIApp
    methods: tuple[str, ...] = ("POST", "OPTIONS")
    at_once: AtOnce | None = None


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """A line in the sidebar, shown when the actor has `permission`.

    `group` is "", "analytics", "settings" or "system"; `icon` the name of an outline icon of Tabler.
    """

    label: str
    path: str
    permission: str
    group: str = ""
    icon: str = "circle"
    order: int = 100


@dataclass(frozen=True, slots=True)
class Permission:
    """What an actor may do: `<area>.<verb>`, and the roles that hold it by default.

    `team_roles` ("manager", "agent") hold it within their team. A route that names such a permission lets in whoever
    holds it in any team, and its handler asks `actor.can(name, team=…)` or `actor.teams_with(name)`.
    """

    name: str
    description: str
    roles: frozenset[str] = field(default_factory=frozenset)
    team_roles: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Middleware:
    """An ASGI middleware around the dashboard and API, never around the collector. Lower `order` is further out."""

    factory: Callable[..., ASGIApp]
    options: Mapping[str, Any] = field(default_factory=dict)
    order: int = 100
