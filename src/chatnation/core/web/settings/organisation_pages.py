"""`/settings/organisation`, `/settings/navigation` and `/settings/system-messages`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatnation.core.auth.colours import ENOUGH, LIGHT_SURFACE, contrast, palette
from chatnation.core.auth.organisation import KEYS
from chatnation.core.auth.organisation_settings import LONGEST_LABEL, RESOLVED_PERIODS, OrganisationSettings
from chatnation.core.auth.system_messages import MESSAGES, SystemMessage, html_of, words_of
from chatnation.core.errors import ChatnationError, Problem
from chatnation.core.web.frame import GROUPS
from chatnation.core.web.notices import redirect
from chatnation.core.web.problems import as_problem, invalid
from chatnation.core.web.routing import Page
from chatnation.core.web.settings.organisation import TenantItself
from chatnation.core.web.settings.organisation_routes import PERMISSION

if TYPE_CHECKING:
    from starlette.datastructures import FormData

    from chatnation.core.app import App

ORGANISATION, NAVIGATION, MESSAGES_PATH = "/settings/organisation", "/settings/navigation", "/settings/system-messages"
PERIODS = {
    0.25: "6 hours",
    0.5: "12 hours",
    1: "a day",
    7: "a week",
    30: "30 days",
    0: "for ever",
}
IMAGE = "outOfOfficeImage"


@dataclass(frozen=True, slots=True)
class MenuLabel:
    """A line of the menu: where it leads, what we call it, and what the tenant does."""

    group: str
    path: str
    default: str
    label: str


class OrganisationPages:
    """Forms for what the organisation is called, looks like and says."""

    def __init__(self, app: App) -> None:
        self._organisation = TenantItself(app)
        self._clock = app.clock

    def pages(self) -> list[Page]:
        def form(path: str, show: Any, save: Any) -> list[Page]:
            return [Page(f"/{path}", show, PERMISSION), Page(f"/{path}", save, PERMISSION, methods=("POST",))]

        return [
            *form(ORGANISATION, self.show, self.save),
            *form(NAVIGATION, self.show_navigation, self.save_navigation),
            *form(MESSAGES_PATH, self.show_messages, self.save_messages),
            Page("//settings/session", self.lead_to_security, PERMISSION),
        ]

    async def show(self, request: Request) -> Response:
        return await self._organisation_page(request)

    async def lead_to_security(self, request: Request) -> Response:
        """Timeouts and logins are one page with everything else about security."""
        return RedirectResponse("/settings/security", status_code=303)

    async def save(self, request: Request) -> Response:
        form = await request.form()
        patch = {
            "timezone": _typed(form, "timezone"),
            "appName": _typed(form, "app_name"),
            "logoUrl": _typed(form, "logo_url"),
            "primaryColor": _typed(form, "primary_color") if form.get("own_color") else None,
            "customDomain": _typed(form, "custom_domain"),
            "transferReasonRequired": True if form.get("transfer_reason") else None,
            "inbox": {"resolvedChatsPeriodDays": _period(form)},
        }
        try:
            await self._change(request, patch, name=str(form.get("name", ""))[:200])
        except ChatnationError as error:
            return await self._organisation_page(request, problem=as_problem(error), given=patch, form=form)
        return redirect(ORGANISATION, notice="Saved. Every page follows at once.")

    async def show_navigation(self, request: Request) -> Response:
        return await self._navigation_page(request)

    async def save_navigation(self, request: Request) -> Response:
        form = await request.form()
        if form.get("reset"):
            labels: dict[str, str | None] = {str(form["reset"]).strip("/")[:100]: None}
        else:
            labels = {path.strip("/"): _typed(form, f"label-{path}") for _, path, _ in self._organisation.menu()}
        try:
            await self._change(request, {"navLabels": labels})
        except ChatnationError as error:
            return await self._navigation_page(request, problem=as_problem(error), given=labels)
        return redirect(NAVIGATION, notice="Saved. The menu follows at once.")

    async def show_messages(self, request: Request) -> Response:
        return await self._messages_page(request)

    async def save_messages(self, request: Request) -> Response:
        form = await request.form()
        words = {key: _words(form, key) for key in (*MESSAGES, IMAGE)}
        if form.get("reset"):
            words[str(form["reset"])] = None
        own = {key: text for key, text in words.items() if key not in MESSAGES or text != MESSAGES[key].default}
        try:
            await self._change(request, {"systemMessages": {key: own.get(key) for key in (*MESSAGES, IMAGE)}})
        except ChatnationError as error:
            return await self._messages_page(request, problem=as_problem(error), given=words)
        return redirect(MESSAGES_PATH, notice="Saved. Messages from now on say so.")

    async def _change(self, request: Request, patch: Mapping[str, Any], *, name: str | None = None) -> None:
        """Check what was typed as the API would, and save it. Raises a problem with the path of what is wrong."""
        try:
            checked = OrganisationSettings.model_validate(patch)
        except ValidationError as error:
            raise invalid(error, "body") from None
        await self._organisation.change(request, name=name, patch=checked.model_dump(by_alias=True, exclude_unset=True))

    async def _organisation_page(
        self,
        request: Request,
        *,
        problem: Problem | None = None,
        given: Mapping[str, Any] | None = None,
        form: FormData | None = None,
    ) -> Response:
        found = await self._organisation.find(request.state.actor)
        settings = {**dict.fromkeys(KEYS), **(given if given is not None else found.settings)}
        colour = found.settings.get("primaryColor")
        response: Response = request.state.render(
            "settings/organisation.html",
            status=_status(problem),
            name=str(form.get("name", "")) if form is not None else found.name,
            slug=found.slug,
            settings=settings,
            period=(settings.get("inbox") or {}).get("resolvedChatsPeriodDays"),
            periods=[(days, PERIODS[days]) for days in RESOLVED_PERIODS],
            timezones=sorted(available_timezones()),
            shades=palette(colour) if colour else None,
            contrast_on_white=contrast(colour, LIGHT_SURFACE) if colour else None,
            enough=ENOUGH,
            now=self._clock.now(),
            problem=problem,
            faults=_faults(problem),
        )
        return response

    async def _navigation_page(
        self, request: Request, *, problem: Problem | None = None, given: Mapping[str, str | None] | None = None
    ) -> Response:
        found = await self._organisation.find(request.state.actor)
        labels = given if given is not None else found.settings.get("navLabels") or {}
        lines = [
            MenuLabel(group, path, default, labels.get(path.strip("/")) or "")
            for group, path, default in self._organisation.menu()
        ]
        response: Response = request.state.render(
            "settings/navigation.html",
            status=_status(problem),
            groups=[
                (GROUPS.get(group, group.capitalize()) or "At the top", list(lines))
                for group, lines in groupby(lines, key=lambda line: line.group)
            ],
            longest=LONGEST_LABEL,
            problem=problem,
        )
        return response

    async def _messages_page(
        self, request: Request, *, problem: Problem | None = None, given: Mapping[str, str | None] | None = None
    ) -> Response:
        found = await self._organisation.find(request.state.actor)
        settings = {"systemMessages": dict(given)} if given is not None else found.settings
        sections: dict[str, list[SystemMessage]] = {}
        for message in MESSAGES.values():
            sections.setdefault(message.section, []).append(message)
        response: Response = request.state.render(
            "settings/system_messages.html",
            status=_status(problem),
            sections=sections,
            words={key: words_of(settings, key) for key in MESSAGES},
            previews={key: html_of(settings, key, message.placeholders) for key, message in MESSAGES.items()},
            image=(settings.get("systemMessages") or {}).get(IMAGE) or "",
            problem=problem,
            faults=_faults(problem),
        )
        return response


def _typed(form: FormData, name: str) -> str | None:
    return str(form.get(name, ""))[:1000].strip() or None


def _words(form: FormData, key: str) -> str | None:
    """A text as it was typed; browsers send line ends of their own."""
    text = str(form.get(key, ""))[:20_000].replace("\r\n", "\n").strip()
    return text or None


def _period(form: FormData) -> float | None:
    try:
        return float(str(form.get("period", "")))
    except ValueError:
        return None


def _status(problem: Problem | None) -> int:
    if problem is not None and problem.status >= 500:
        raise problem
    return problem.status if problem else 200


def _faults(problem: Problem | None) -> dict[str, str]:
    """What is wrong, by the last part of the path."""
    if problem is None:
        return {}
    return {
        str(fault["path"]).rpartition(".")[2]: str(fault["message"]).removeprefix("Value error, ")
        for fault in problem.errors
    }
