"""The organisation itself: what is done to it, with its records, for pages and routes alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import Request

from chatnation.core.audit import audit_of
from chatnation.core.auth.brands import Brands
from chatnation.core.auth.effective import Standings
from chatnation.core.auth.organisation import Organisation, change_organisation, differences, find_organisation
from chatnation.core.auth.tenancy import NameTaken
from chatnation.core.errors import Problem
from chatnation.core.web.audited import record_of
from chatnation.core.web.settings.menu import MENU

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.context import Actor

INSIDE = "inside settings"
"""The group of the core's own settings pages, which are no lines of the sidebar."""


class TenantItself:
    """The tenant of whoever sends a request. Raises what `core.auth.refusals` and `names` name."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._standings = app.services.get(Standings)
        self._brands = app.services.get(Brands)

    async def find(self, actor: Actor) -> Organisation:
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            return await find_organisation(connection, actor.tenant.id)

    async def change(
        self, request: Request, *, name: str | None = None, patch: Mapping[str, Any] | None = None
    ) -> Organisation:
        """Change what is given; every page follows at once. `patch` is what `OrganisationSettings` dumps."""
        actor: Actor = request.state.actor
        self._check_routes(actor, (patch or {}).get("navLabels") or {})
        self._check_host(actor, (patch or {}).get("customDomain"))
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            before, after = await change_organisation(connection, actor, name=name, patch=patch)
            changed = differences(before, after)
            if changed:
                self._standings.forget_after(connection)
                self._brands.refresh_after(connection)
                record = record_of(request, "config.settings.updated", "tenant", after.slug, changed=changed)
                await audit_of(self._app).record(connection, record)
        return after

    def menu(self) -> list[tuple[str, str, str]]:
        """Group, path and label of every page that a menu may name, those of the settings last."""
        sidebar = [
            (entry.item.group, entry.item.path, entry.item.label)
            for entry in sorted(self._app.resources.navigation, key=lambda one: (one.item.order, one.item.label))
        ]
        known = {path for _, path, _ in sidebar}
        groups = list(dict.fromkeys(["", "analytics", "settings", "system", *(group for group, _, _ in sidebar)]))
        sidebar.sort(key=lambda line: groups.index(line[0]))
        return [*sidebar, *((INSIDE, entry.path, entry.label) for entry in MENU if entry.path not in known)]

    def _check_host(self, actor: Actor, host: str | None) -> None:
        """Nobody takes the host of another tenant, or that of all: its login page would look like theirs."""
        if host is None:
            return
        if self._brands.holder_of(host) not in (None, actor.tenant.id):
            raise NameTaken(f"{host} is the host of another organisation.")
        if host == urlsplit(self._app.settings.public_url or "").hostname:
            raise NameTaken(f"{host} is the host of the whole instance.")

    def _check_routes(self, actor: Actor, labels: Mapping[str, str | None]) -> None:
        known = {path.strip("/") for _, path, _ in self.menu()} | set(self._brands.of_tenant(actor.tenant.id).labels)
        for route, label in labels.items():
            if label is not None and route not in known:
                path = f"settings.navLabels.{route}"
                raise Problem(
                    422,
                    "invalid_request",
                    f"Body field {path}: no page is at /{route}.",
                    errors=[{"in": "body", "path": path, "message": f"no page is at /{route}"}],
                )
