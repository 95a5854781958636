"""The buttons of the page that keep, rename and delete funnels."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from chatnation import App, Page, Problem, redirect
from chatnation.plugins.dashboard.api import View
from chatnation.plugins.funnels.address import PATH, FunnelQuery
from chatnation.plugins.funnels.questions import FunnelView
from chatnation.plugins.funnels.saving import MANAGE, SavedFunnels

POST = ("POST",)


class KeepingPages:
    """What forms are sent to; the address of each has the funnel that the page shows."""

    def __init__(self, app: Callable[[], App], saved: SavedFunnels) -> None:
        self._app = app
        self._saved = saved

    def pages(self) -> list[Page]:
        one = "/saved/{funnel:uuid}"
        return [
            Page("/saved", self.save, MANAGE, methods=POST),
            Page(f"{one}/update", self.update, MANAGE, methods=POST),
            Page(f"{one}/rename", self.rename, MANAGE, methods=POST),
            Page(f"{one}/delete", self.delete, MANAGE, methods=POST),
        ]

    async def save(self, request: Request) -> Response:
        """Keep the funnel of the address under a new name."""
        view = self._view(request)
        try:
            kept = await self._saved.create(request, await _name(request), view.query.definition())
        except Problem as problem:
            return _refused(view, problem)
        return redirect(view.url(saved=kept.id), notice=f"“{kept.name}” is saved.")

    async def update(self, request: Request) -> Response:
        """Keep the funnel of the address instead of what a saved one was."""
        view = self._view(request)
        try:
            kept = await self._saved.update(request, _funnel(request), definition=view.query.definition())
        except Problem as problem:
            return _refused(view, problem)
        return redirect(view.url(saved=kept.id), notice=f"“{kept.name}” is changed.")

    async def rename(self, request: Request) -> Response:
        """Give a saved funnel another name."""
        view = self._view(request)
        try:
            kept = await self._saved.update(request, _funnel(request), name=await _name(request))
        except Problem as problem:
            return _refused(view, problem)
        return redirect(view.url(saved=kept.id), notice=f"It is called “{kept.name}” now.")

    async def delete(self, request: Request) -> Response:
        """Forget a saved funnel; the page goes on showing it."""
        view = self._view(request)
        try:
            name = await self._saved.delete(request, _funnel(request))
        except Problem as problem:
            return _refused(view, problem)
        return redirect(view.url(saved=None), notice=f"“{name}” is deleted.")

    def _view(self, request: Request) -> FunnelView:
        return View.of(self._app(), request, PATH, FunnelQuery.of(request.query_params))


async def _name(request: Request) -> str:
    return str((await request.form()).get("name", ""))


def _funnel(request: Request) -> UUID:
    funnel: UUID = request.path_params["funnel"]
    return funnel


def _refused(view: FunnelView, problem: Problem) -> Response:
    if problem.status >= 500:
        raise problem
    return redirect(view.url(), notice=problem.detail, kind="danger")
