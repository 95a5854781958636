"""Events that were accepted but could not be stored: looked at, tried again, or dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response

from chatnation import App, DeadLetters, NotFound, Page, Problem, Projects, redirect

PERMISSION = "settings.manage"
PATH = "/settings/dead-letters"
PAGE_SIZE = 50


class DeadLetterPages:
    """`/settings/dead-letters`."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        return [
            Page(f"/{PATH}", self.show, PERMISSION),
            Page(f"/{PATH}/{{letter:int}}", self.letter, PERMISSION),
            Page(f"/{PATH}/replay", self.replay, PERMISSION, methods=("POST",)),
            Page(f"/{PATH}/drop", self.drop, PERMISSION, methods=("POST",)),
        ]

    async def show(self, request: Request) -> Response:
        tenant_id: int = request.state.actor.tenant.id
        before = _number(request.query_params.get("before"))
        letters = await self._letters.list(tenant_id, limit=PAGE_SIZE + 1, before=before)
        shown = letters[:PAGE_SIZE]
        response: Response = request.state.render(
            "dashboard/dead_letters.html",
            letters=shown,
            next_before=shown[-1].id if len(letters) > PAGE_SIZE else None,
            first_page=before is None,
            names={project.id: project.name for project in await self._app().services.get(Projects).list(tenant_id)},
        )
        return response

    async def letter(self, request: Request) -> Response:
        tenant_id: int = request.state.actor.tenant.id
        letter = await self._letters.get(tenant_id, min(request.path_params["letter"], 2**62))
        if letter is None:
            raise NotFound("There is no such dead letter; it may have been replayed or dropped.")
        response: Response = request.state.render("dashboard/dead_letter.html", letter=letter)
        return response

    async def replay(self, request: Request) -> Response:
        events = await self._letters.replay(request.state.actor.tenant.id, await _chosen(request))
        return redirect(PATH, notice=f"{_events(events)} on the way to being stored again.")

    async def drop(self, request: Request) -> Response:
        events = await self._letters.drop(request.state.actor.tenant.id, await _chosen(request))
        return redirect(PATH, notice=f"{_events(events)} dropped for good.", kind="warning")

    @property
    def _letters(self) -> DeadLetters:
        return self._app().services.get(DeadLetters)


async def _chosen(request: Request) -> Sequence[int] | None:
    """The letters that the form names; None stands for all of them."""
    form = await request.form()
    if form.get("all"):
        return None
    ids = [number for value in form.getlist("id") if (number := _number(str(value))) is not None]
    if not ids:
        raise Problem(422, "nothing_chosen", "Choose at least one dead letter.")
    return ids


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _events(count: int) -> str:
    return "1 event is" if count == 1 else f"{count:,} events are"
