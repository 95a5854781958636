"""What the core itself serves besides signing in: the lists that `application.py` mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatnation.core.web.accounts.invitation_pages import InvitationPages
from chatnation.core.web.accounts.invitation_routes import InvitationRoutes
from chatnation.core.web.accounts.password_pages import PasswordPages
from chatnation.core.web.accounts.password_routes import PasswordRoutes
from chatnation.core.web.accounts.signup_pages import SignupPages
from chatnation.core.web.accounts.signup_routes import SignupRoutes
from chatnation.core.web.accounts.tenants import CurrentTenant
from chatnation.core.web.branding import BrandStyles
from chatnation.core.web.routing import Page, Route
from chatnation.core.web.settings.home import SettingsHome
from chatnation.core.web.settings.keys_pages import KeyPages
from chatnation.core.web.settings.keys_routes import KeyRoutes
from chatnation.core.web.settings.organisation_pages import OrganisationPages
from chatnation.core.web.settings.organisation_routes import OrganisationRoutes
from chatnation.core.web.settings.people_pages import PeoplePages
from chatnation.core.web.settings.people_routes import PeopleRoutes
from chatnation.core.web.settings.plugins_pages import PluginPages
from chatnation.core.web.settings.plugins_routes import PluginRoutes
from chatnation.core.web.settings.projects_pages import ProjectPages
from chatnation.core.web.settings.projects_routes import ProjectRoutes
from chatnation.core.web.settings.roles_pages import RolePages
from chatnation.core.web.settings.roles_routes import RoleRoutes

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.web.accounts.answers import Answers


def pages(app: App, answers: Answers) -> list[Page]:
    """Every page of the core but those of signing in."""
    areas = (
        PasswordPages(app, answers),
        SignupPages(app, answers),
        InvitationPages(app, answers),
        CurrentTenant(app, answers),
        SettingsHome(),
        BrandStyles(),
        OrganisationPages(app),
        PeoplePages(app),
        RolePages(app),
        ProjectPages(app),
        KeyPages(app),
        PluginPages(app),
    )
    return [page for area in areas for page in area.pages()]


def routes(app: App, answers: Answers) -> list[Route]:
    """Every JSON route of the core but those of signing in."""
    areas = (
        PasswordRoutes(app, answers),
        SignupRoutes(app, answers),
        InvitationRoutes(app, answers),
        CurrentTenant(app, answers),
        PeopleRoutes(app),
        RoleRoutes(app),
        OrganisationRoutes(app),
        ProjectRoutes(app),
        KeyRoutes(app),
        PluginRoutes(app),
    )
    return [route for area in areas for route in area.routes()]
