"""The sub-navigation of the settings pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatnation.core.web.routing import AUTHENTICATED, NavigationEntry

if TYPE_CHECKING:
    from chatnation.core.context import Actor
    from chatnation.core.web.frame import NavigationGroup

HOME = "/settings"


@dataclass(frozen=True, slots=True)
class SettingsEntry:
    """A line of the sub-navigation, shown to whoever holds `permission`, and only to people if `personal`."""

    label: str
    path: str
    permission: str
    icon: str
    personal: bool = False


MENU: tuple[SettingsEntry, ...] = (
    SettingsEntry("Password", "/settings/password", AUTHENTICATED, "key", personal=True),
    SettingsEntry("People", "/settings/people", "users.manage", "users"),
    SettingsEntry("Roles", "/settings/roles", "settings.manage", "shield-lock"),
    SettingsEntry("Projects", "/settings/projects", "settings.manage", "folders"),
    SettingsEntry("Keys", "/settings/keys", "settings.manage", "api"),
)
"""The core's own settings pages, in their order. Plugins add theirs by `register_navigation`, in the group settings."""


def shown_to(actor: Actor | None, navigation: Iterable[NavigationGroup]) -> Sequence[SettingsEntry]:
    """The lines that `actor` may open: the core's, then those that plugins put below `/settings/`."""
    if actor is None:
        return []
    own = [
        entry
        for entry in MENU
        if (entry.permission == AUTHENTICATED or actor.can_somewhere(entry.permission))
        and (actor.user_id is not None or not entry.personal)
    ]
    return own + [_line(entry) for group in navigation for entry in group.entries if _is_settings_page(entry)]


def _is_settings_page(entry: NavigationEntry) -> bool:
    return entry.group == "settings" and entry.path.startswith(f"{HOME}/")


def _line(entry: NavigationEntry) -> SettingsEntry:
    return SettingsEntry(entry.label, entry.path, entry.permission, entry.icon)
