"""What the core itself serves besides signing in: the list that `application.py` mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chatnation.core.web.routing import Page, Route
from chatnation.core.web.settings.home import SettingsHome

if TYPE_CHECKING:
    from chatnation.core.app import App


class Area(Protocol):
    """Pages and routes about one thing."""

    def pages(self) -> list[Page]: ...

    def routes(self) -> list[Route]: ...


def areas(app: App) -> list[Area]:
    """Every area of the core, each made once."""
    return [SettingsHome()]
