"""The pages of the danger zone."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatnation import PUBLIC, ChatnationError, NotFound, Page, Problem, redirect
from chatnation.plugins.danger_zone.queries import ArchiveQuery
from chatnation.plugins.danger_zone.zone import PERMISSION, TENANT, DangerZone

PATH = "/settings/danger-zone"
_STALE = "fresh_login_needed"
_CONFIRM = f"/login/confirm?next={quote(PATH, safe='')}"
"""Where somebody shows once more who they are, and comes back from."""


class DangerZonePages:
    """`/settings/danger-zone`, and the page that tells how far a deletion is."""

    def __init__(self, zone: DangerZone) -> None:
        self._zone = zone

    def pages(self) -> list[Page]:
        return [
            Page("", self.show, PERMISSION),
            Page("/choose", self.choose, PERMISSION),
            Page("/export", self.export, PERMISSION),
            Page("/export", self.start_export, PERMISSION, methods=("POST",)),
            Page("/archive", self.archive, PERMISSION),
            Page("/archive/{entry:int}/restore", self.restore, PERMISSION, methods=("POST",)),
            Page("/delete/{entity}/{key}", self.preview, PERMISSION),
            Page("/delete/{entity}/{key}", self.delete, PERMISSION, methods=("POST",)),
            Page("/deletions/{token}", self.deletion, PUBLIC),
        ]

    async def show(self, request: Request) -> Response:
        actor = request.state.actor
        recent = await self._zone.archive(actor, ArchiveQuery(limit=10))
        work, url = await self._zone.export(actor)
        return self._render(
            request,
            "danger_zone/zone.html",
            kinds=await self._zone.kinds(actor),
            entries=recent.items,
            more=recent.next_cursor is not None,
            restorable=self._zone.restorable(actor),
            can_export=self._zone.can_export,
            may_delete_tenant=actor.role == "super_admin",
            work=work,
            url=url,
        )

    async def choose(self, request: Request) -> Response:
        """From the choice in a form to the page of that thing."""
        entity, key = (request.query_params.get(name, "") for name in ("entity", "key"))
        if not entity or not key:
            raise NotFound("Nothing was chosen.")
        return RedirectResponse(f"{PATH}/delete/{quote(entity, safe='')}/{quote(key, safe='')}", status_code=303)

    async def preview(self, request: Request) -> Response:
        return await self._confirm(request)

    async def delete(self, request: Request) -> Response:
        entity, key = request.path_params["entity"], request.path_params["key"]
        typed = str((await request.form()).get("confirm", ""))
        try:
            if entity == TENANT:
                token = await self._zone.delete_tenant(request, key, typed)
                return RedirectResponse(f"{PATH}/deletions/{token}", status_code=303)
            doomed, _ = await self._zone.archive_and_delete(request, entity, key, typed)
        except Problem as problem:
            if problem.code == _STALE:
                return RedirectResponse(request.url.path, status_code=303)  # Which asks who it is, and leads back.
            if problem.code == "confirmation_wrong":
                return await self._confirm(request, problem)
            raise
        except ChatnationError as error:
            return redirect(PATH, notice=str(error), kind="danger")
        return redirect(PATH, notice=f"{doomed.name} is deleted; a copy is in the archive.")

    async def archive(self, request: Request) -> Response:
        query = ArchiveQuery(after=request.query_params.get("after") or None)
        found = await self._zone.archive(request.state.actor, query)
        next_url = f"{PATH}/archive?after={found.next_cursor}" if found.next_cursor else None
        return self._render(
            request,
            "danger_zone/archive.html",
            entries=found.items,
            next_url=next_url,
            first_url=f"{PATH}/archive" if query.after else None,
            restorable=self._zone.restorable(request.state.actor),
        )

    async def restore(self, request: Request) -> Response:
        try:
            name = await self._zone.restore(request, request.path_params["entry"])
        except ChatnationError as error:
            if isinstance(error, Problem) and error.code == _STALE:
                return RedirectResponse(_CONFIRM, status_code=303)
            return redirect(PATH, notice=str(error), kind="danger")
        return redirect(PATH, notice=f"{name} is there again.")

    async def start_export(self, request: Request) -> Response:
        try:
            await self._zone.start_export(request)
        except Problem as problem:
            if problem.code == _STALE:
                return RedirectResponse(_CONFIRM, status_code=303)
            return redirect(PATH, notice=problem.detail, kind="danger")
        return redirect(f"{PATH}#export")

    async def export(self, request: Request) -> Response:
        """The part of the page that tells how far the export is."""
        work, url = await self._zone.export(request.state.actor)
        return self._render(request, "danger_zone/export.html", work=work, url=url, can_export=self._zone.can_export)

    async def deletion(self, request: Request) -> Response:
        token = request.path_params["token"]
        work = await self._zone.deletion(token)
        part = "hx-request" in request.headers
        template = "danger_zone/deletion_state.html" if part else "danger_zone/deletion.html"
        return self._render(request, template, work=work, state_url=f"{PATH}/deletions/{token}")

    async def _confirm(self, request: Request, problem: Problem | None = None) -> Response:
        entity, key = request.path_params["entity"], request.path_params["key"]
        try:
            preview = await self._zone.preview(request, entity, key)
        except NotFound:
            raise
        except ChatnationError as error:
            if isinstance(error, Problem) and error.code == _STALE:
                raise
            return redirect(PATH, notice=str(error), kind="danger")
        work, url = await self._zone.export(request.state.actor) if entity == TENANT else (None, None)
        return self._render(
            request,
            "danger_zone/confirm.html",
            status=problem.status if problem else 200,
            preview=preview,
            problem=problem,
            can_export=self._zone.can_export,
            work=work,
            url=url,
        )

    def _render(self, request: Request, template: str, *, status: int = 200, **values: object) -> Response:
        response: Response = request.state.render(template, status=status, path_of_zone=PATH, **values)
        return response
