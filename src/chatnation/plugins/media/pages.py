"""The page of files, and the addresses that open them."""

from __future__ import annotations

from urllib.parse import urlencode

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatnation import PUBLIC, ChatnationError, NotFound, Page, Problem, redirect
from chatnation.plugins.media.files import Files
from chatnation.plugins.media.kinds import may_be_shown
from chatnation.plugins.media.queries import FileQuery
from chatnation.plugins.media.routes import DELETE, UPLOAD, VIEW
from chatnation.plugins.media.settings import MediaSettings
from chatnation.plugins.media.uploads import FORM_BYTES

PATH = "/settings/media"
_READABLE = ("GET", "HEAD")
_PAGE_LINK_SECONDS = 300


class MediaPages:
    """`/settings/media`, and `/media/<link>`."""

    def __init__(self, files: Files, settings: MediaSettings) -> None:
        self._files = files
        self._settings = settings

    def pages(self) -> list[Page]:
        return [
            Page(f"/{PATH}", self.show, VIEW),
            Page(f"/{PATH}", self.upload, UPLOAD, methods=("POST",), max_bytes=self._settings.max_bytes + FORM_BYTES),
            Page(f"/{PATH}/{{file:uuid}}", self.look, VIEW),
            Page(f"/{PATH}/{{file:uuid}}/delete", self.delete, DELETE, methods=("POST",)),
            Page("/{ticket}", self._files.open, PUBLIC, methods=_READABLE),
            Page("/{ticket}/{filename}", self._files.open, PUBLIC, methods=_READABLE),
        ]

    async def show(self, request: Request) -> Response:
        given = {name: value for name, value in request.query_params.items() if value.strip()}
        try:
            query = FileQuery.model_validate(given)
        except ValidationError:
            raise NotFound("There is no such list.") from None
        found = await self._files.page(request, query)
        filters = query.filters()
        actor = request.state.actor
        response: Response = request.state.render(
            "media/files.html",
            rows=found.items,
            usage=await self._files.usage(request),
            query=query,
            filters=filters,
            path_of_media=PATH,
            most=self._settings.max_bytes,
            may_upload=actor.can(UPLOAD),
            may_delete=actor.can(DELETE),
            shown=may_be_shown,
            first_url=_link(filters) if query.after else None,
            next_url=_link({**filters, "after": found.next_cursor}) if found.next_cursor else None,
        )
        return response

    async def upload(self, request: Request) -> Response:
        try:
            kept = await self._files.upload(request)
        except Problem as problem:
            if problem.status >= 500:
                raise
            return redirect(PATH, notice=problem.detail, kind="danger")
        return redirect(PATH, notice=f"{kept.filename} is uploaded.")

    async def look(self, request: Request) -> Response:
        """Lead to the file by a link that is good for a few minutes."""
        file = await self._files.one(request, request.path_params["file"])
        url = self._files.link(request.state.actor.tenant.id, file, _PAGE_LINK_SECONDS)
        return RedirectResponse(url[url.index("/media/") :], status_code=303)

    async def delete(self, request: Request) -> Response:
        try:
            name = await self._files.delete(request, request.path_params["file"])
        except ChatnationError as error:
            return redirect(PATH, notice=str(error), kind="danger")
        return redirect(PATH, notice=f"{name} is deleted.")


def _link(parameters: dict[str, str]) -> str:
    return f"{PATH}?{urlencode(parameters)}" if parameters else PATH
