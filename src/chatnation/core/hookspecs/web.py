"""Routes, pages and their frame."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.plugin.base import hookspec
from chatnation.core.web.routing import IngestRoute, Middleware, NavigationEntry, Page, Route


@hookspec
def register_routes() -> Iterable[Route]:  # type: ignore[empty-body]
    """Answer JSON under `/api/<prefix>`.

    When: once, at composition.
    Return: a list of `Route`.
    Failure: the plugin is failed; a route that two plugins claim is a conflict. A request that raises answers 500
    for that request only.
    """


@hookspec
def register_ingest_routes() -> Iterable[IngestRoute]:  # type: ignore[empty-body]
    """Take events at exact paths of the collector.

    When: once, at composition, in every process; served by those with the role `collect`.
    Return: a list of `IngestRoute`.
    Failure: as for `register_routes`.
    """


@hookspec
def register_pages() -> Iterable[Page]:  # type: ignore[empty-body]
    """Show HTML under `/<prefix>`.

    When: once, at composition.
    Return: a list of `Page`.
    Failure: as for `register_routes`.
    """


@hookspec
def register_navigation() -> Iterable[NavigationEntry]:  # type: ignore[empty-body]
    """Add lines to the sidebar.

    When: once, at composition; filtered by permission per request.
    Return: a list of `NavigationEntry`.
    Failure: the plugin is failed.
    """


@hookspec
def register_middleware() -> Iterable[Middleware]:  # type: ignore[empty-body]
    """Wrap the dashboard and the API, never the collector.

    When: once, at composition.
    Return: a list of `Middleware`.
    Failure: the plugin is failed.
    """


@hookspec
async def render_slot(slot: str, request: Request) -> Markup | None:
    """Fill a named place of a page, `<page>.<place>`.

    When: each time the page is drawn.
    Return: markup, or None for nothing.
    Failure: that place stays empty.
    """


@hookspec
async def handle_error(request: Request, error: Exception) -> Response | None:
    """Turn an exception into a response.

    When: a route or page raised something that is not a `Problem`.
    Return: a response, or None to leave it to others.
    Failure: counts as None.
    """
