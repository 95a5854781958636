"""What the core itself serves besides signing in: the list that `application.py` mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatnation.core.web.routing import Page, Route
from chatnation.core.web.settings.home import SettingsHome
from chatnation.core.web.settings.people_pages import PeoplePages
from chatnation.core.web.settings.people_routes import PeopleRoutes
from chatnation.core.web.settings.roles_pages import RolePages
from chatnation.core.web.settings.roles_routes import RoleRoutes

if TYPE_CHECKING:
    from chatnation.core.app import App


def pages(app: App) -> list[Page]:
    """Every page of the core but those of signing in."""
    areas = (SettingsHome(), PeoplePages(app), RolePages(app))
    return [page for area in areas for page in area.pages()]


def routes(app: App) -> list[Route]:
    """Every JSON route of the core but those of signing in."""
    areas = (PeopleRoutes(app), RoleRoutes(app))
    return [route for area in areas for route in area.routes()]
