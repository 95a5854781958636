"""`/settings/keys`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.auth.key_scopes import scopes_of
from chatnation.core.auth.keys import KeyEntry, KeyType
from chatnation.core.errors import ChatnationError, Problem
from chatnation.core.web.notices import redirect
from chatnation.core.web.problems import as_problem
from chatnation.core.web.routing import Page
from chatnation.core.web.settings.keys import TenantKeys, WantedKey
from chatnation.core.web.settings.keys_routes import PERMISSION, key_id

if TYPE_CHECKING:
    from starlette.datastructures import FormData

    from chatnation.core.app import App
    from chatnation.core.context import Actor

PATH = "/settings/keys"

TYPES = {
    KeyType.WRITE: ("Write", "Takes events from websites and apps. It is no secret: it stands in the page's source."),
    KeyType.SERVER: ("Server", "Takes events from your servers, and may read what you allow. Keep it secret."),
    KeyType.READ: ("Read", "Opens reports to programs. Keep it secret."),
    KeyType.HANDOVER: ("Hand-over", "Lets a bot hand a chat over to an agent. Keep it secret."),
}
LIFETIMES = {"": "never", "30": "in 30 days", "90": "in 90 days", "365": "in a year"}
OVERLAPS = {"0": "at once", "60": "in an hour", "1440": "in a day", "10080": "in a week", "43200": "in 30 days"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A key that was just made, and what to know of it."""

    secret: str
    entry: KeyEntry
    replaced: KeyEntry | None = None


class KeyPages:
    """The keys, a form for a new one, and what may be done to each."""

    def __init__(self, app: App) -> None:
        self._keys = TenantKeys(app)
        self._clock = app.clock

    def pages(self) -> list[Page]:
        return [
            Page(f"/{PATH}", self.show, PERMISSION),
            Page(f"/{PATH}", self.create, PERMISSION, methods=("POST",)),
            Page(f"/{PATH}/{{key:int}}/rotate", self.rotate, PERMISSION, methods=("POST",)),
            Page(f"/{PATH}/{{key:int}}/revoke", self.revoke, PERMISSION, methods=("POST",)),
        ]

    async def show(self, request: Request) -> Response:
        return await self._page(request)

    async def create(self, request: Request) -> Response:
        """Make a key and show it, once, in the page that answers."""
        form = await request.form()
        try:
            entry, made = await self._keys.create(request, self._wanted(form))
        except ChatnationError as error:
            return await self._page(request, problem=as_problem(error), form=form)
        return await self._page(request, shown=Shown(made.secret, entry))

    async def rotate(self, request: Request) -> Response:
        minutes = str((await request.form()).get("overlap", ""))
        overlap = timedelta(minutes=int(minutes if minutes in OVERLAPS else "1440"))
        try:
            old, new, made = await self._keys.rotate(request, key_id(request), overlap)
        except ChatnationError as error:
            return _refused(error)
        return await self._page(request, shown=Shown(made.secret, new, old))

    async def revoke(self, request: Request) -> Response:
        try:
            gone = await self._keys.revoke(request, key_id(request))
        except ChatnationError as error:
            return _refused(error)
        return redirect(PATH, notice=f"The key “{gone.name}” is revoked; whatever shows it is refused.")

    def _wanted(self, form: FormData) -> WantedKey:
        kind, days = str(form.get("type", "")), str(form.get("days", ""))
        try:
            key_type = KeyType(kind)
        except ValueError:
            raise Problem(422, "invalid_request", "Choose what the key is for.") from None
        return WantedKey(
            name=str(form.get("name", ""))[:200],
            type=key_type,
            project=str(form.get("project", ""))[:50] or None,
            scopes=[] if key_type is KeyType.WRITE else [str(scope)[:100] for scope in form.getlist("scope")],
            allowed_origins=str(form.get("origins", ""))[:10_000].split() if key_type is KeyType.WRITE else [],
            expires_at=self._clock.now() + timedelta(days=int(days)) if days in LIFETIMES and days else None,
        )

    async def _page(
        self,
        request: Request,
        *,
        shown: Shown | None = None,
        problem: Problem | None = None,
        form: FormData | None = None,
    ) -> Response:
        if problem is not None and problem.status >= 500:
            raise problem
        actor: Actor = request.state.actor
        now = self._clock.now()
        entries = await self._keys.entries(actor)
        open_ = [entry for entry in entries if not _ended(entry, now)]
        response: Response = request.state.render(
            "settings/keys.html",
            status=problem.status if problem else 200,
            keys=open_,
            ended=[entry for entry in entries if _ended(entry, now)],
            projects=await self._keys.projects(actor),
            scopes=self._keys.scopes(actor),
            rotatable={entry.id for entry in open_ if scopes_of(entry.type, entry.scopes) <= actor.permissions},
            types=TYPES,
            lifetimes=LIFETIMES,
            overlaps=OVERLAPS,
            shown=shown,
            problem=problem,
            form=form or {},
            chosen={str(scope) for scope in form.getlist("scope")} if form else set(),
        )
        return response


def _ended(entry: KeyEntry, now: datetime) -> bool:
    return entry.revoked_at is not None or (entry.expires_at is not None and entry.expires_at <= now)


def _refused(error: ChatnationError) -> Response:
    problem = as_problem(error)
    if problem.status >= 500:
        raise problem
    return redirect(PATH, notice=problem.detail, kind="danger")
