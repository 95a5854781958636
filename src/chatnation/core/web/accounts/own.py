"""The pages and routes of signing in and of one's own account: the lists that `application.py` mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatnation.core.web.accounts.login_pages import LoginPages
from chatnation.core.web.accounts.login_routes import LoginRoutes
from chatnation.core.web.routing import Page, Route

if TYPE_CHECKING:
    from chatnation.core.web.accounts.answers import Answers
    from chatnation.core.web.accounts.parts import AccountParts


def pages(parts: AccountParts, answers: Answers) -> list[Page]:
    """Every page of it."""
    return LoginPages(parts, answers).pages()


def routes(parts: AccountParts, answers: Answers) -> list[Route]:
    """Every JSON route of it."""
    return LoginRoutes(parts, answers).routes()
