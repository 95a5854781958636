"""Signing in, one's own account, and what a tenant asks of both: the lists that `application.py` mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatnation.core.plugin.boundary import CORE
from chatnation.core.web.accounts.ending import LoginEnding
from chatnation.core.web.accounts.login_pages import LoginPages
from chatnation.core.web.accounts.login_routes import LoginRoutes
from chatnation.core.web.accounts.profile_pages import ProfilePages
from chatnation.core.web.accounts.profile_routes import ProfileRoutes
from chatnation.core.web.accounts.sso_pages import SingleSignOnPages
from chatnation.core.web.routing import Page, Route
from chatnation.core.web.settings.security_pages import SecurityPages
from chatnation.core.web.settings.security_routes import SecurityRoutes
from chatnation.core.web.settings.sso import SingleSignOnSettings

if TYPE_CHECKING:
    from chatnation.core.web.accounts.answers import Answers
    from chatnation.core.web.accounts.parts import AccountParts


def pages(parts: AccountParts, answers: Answers) -> list[Page]:
    """Every page of it."""
    ending = LoginEnding(parts, answers)
    parts.app.services.offer(CORE, LoginEnding, ending)
    return [
        *LoginPages(parts, answers).pages(),
        *SingleSignOnPages(parts, ending).pages(),
        *SingleSignOnSettings(parts.app).pages(),
        *ProfilePages(parts, answers).pages(),
        *SecurityPages(parts.app).pages(),
    ]


def routes(parts: AccountParts, answers: Answers) -> list[Route]:
    """Every JSON route of it."""
    return [
        *LoginRoutes(parts, answers).routes(),
        *SingleSignOnSettings(parts.app).routes(),
        *ProfileRoutes(parts, answers).routes(),
        *SecurityRoutes(parts.app).routes(),
    ]
