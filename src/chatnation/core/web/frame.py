"""What every page gets besides its own values: who looks, the menu, a notice, a token for its forms, slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from starlette.requests import Request

from chatnation.core.auth.brands import Brands
from chatnation.core.auth.effective import Standings
from chatnation.core.auth.tenant_choice import TenantOfUser
from chatnation.core.context import Actor
from chatnation.core.hookspecs.web import render_slot
from chatnation.core.plugin.boundary import CORE
from chatnation.core.web.access import CsrfTokens
from chatnation.core.web.branding import brand_of, headers_of, style_address
from chatnation.core.web.notices import read_notice
from chatnation.core.web.routing import AUTHENTICATED, PUBLIC, NavigationEntry
from chatnation.core.web.settings.menu import shown_to

if TYPE_CHECKING:
    from chatnation.core.app import App

GROUPS = {"": "", "analytics": "Analytics", "settings": "Settings", "system": "System"}
"""Groups of the menu in their order, and their headings."""


@dataclass(frozen=True, slots=True)
class NavigationGroup:
    """A heading of the menu and its entries; the first group has no heading."""

    name: str
    label: str
    entries: Sequence[NavigationEntry]


class PageFrame:
    """Gathers the frame's values from the app and a request."""

    def __init__(self, app: App, *, secret: str) -> None:
        self._app = app
        self._secret = secret
        self._standings = app.services.get(Standings)

    def __call__(self, request: Request) -> dict[str, Any]:
        actor: Actor | None = getattr(request.state, "actor", None)
        path = request.url.path
        brand = brand_of(self._app, request, actor)
        navigation = self.navigation(actor)

        async def slot(name: str) -> Markup:
            return await self._slot(name, request, actor)

        async def my_tenants() -> list[TenantOfUser]:
            return await self._standings.choices(actor.user_id) if actor and actor.user_id is not None else []

        return {
            "request": request,
            "request_id": getattr(request.state, "request_id", ""),
            "path": path,
            "actor": actor,
            "tenant": actor.tenant if actor else None,
            "brand": brand,
            "brand_style": style_address(brand),
            "headers": headers_of(brand),
            "my_tenants": my_tenants,
            "navigation": navigation,
            "current": _current(navigation, path),
            "settings_menu": lambda: shown_to(actor, navigation, brand),
            "notice": read_notice(request),
            "csrf": CsrfTokens(request, self._secret),
            "slot": slot,
        }

    def navigation(self, actor: Actor | None) -> list[NavigationGroup]:
        """The menu of `actor`: entries of the tenant's plugins that the actor may open."""
        if actor is None or actor.limited:
            return []
        enabled = self._app.enabled(actor.tenant.id)
        brand = self._app.services.get(Brands).of_tenant(actor.tenant.id)
        shown = [
            entry.item
            for entry in self._app.resources.navigation
            if (entry.plugin == CORE or entry.plugin in enabled)
            and (entry.item.permission in {PUBLIC, AUTHENTICATED} or actor.can_somewhere(entry.item.permission))
        ]
        shown.sort(key=lambda entry: (entry.order, entry.label))
        shown = [replace(entry, label=brand.label(entry.path, entry.label)) for entry in shown]
        names = dict.fromkeys([*GROUPS, *(entry.group for entry in shown)])
        groups = [
            NavigationGroup(name, GROUPS.get(name, name.title()), [entry for entry in shown if entry.group == name])
            for name in names
        ]
        return [group for group in groups if group.entries]

    async def _slot(self, name: str, request: Request, actor: Actor | None) -> Markup:
        hooks = self._app.hooks.only(self._app.enabled(actor.tenant.id)) if actor else self._app.hooks
        outcomes = await hooks.gather(render_slot, name, request)
        return Markup("").join(outcome.value for outcome in outcomes if outcome.value)


def _current(navigation: Sequence[NavigationGroup], path: str) -> NavigationEntry | None:
    """The entry that `path` lies under; the longest match wins."""
    under = [
        entry
        for group in navigation
        for entry in group.entries
        if path == entry.path or path.startswith(f"{entry.path.rstrip('/')}/")
    ]
    return max(under, key=lambda entry: len(entry.path), default=None)
