"""The sub-navigation of the settings pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chatnation.core.web.routing import AUTHENTICATED, NavigationEntry

if TYPE_CHECKING:
    from chatnation.core.auth.brands import Brand
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
    SettingsEntry("Profile", "/settings/profile", AUTHENTICATED, "user-circle", personal=True),
    SettingsEntry("Password", "/settings/password", AUTHENTICATED, "key", personal=True),
    SettingsEntry("Organisation", "/settings/organisation", "settings.manage", "building"),
    SettingsEntry("People", "/settings/people", "users.manage", "users"),
    SettingsEntry("Roles", "/settings/roles", "settings.manage", "shield-lock"),
    SettingsEntry("Security", "/settings/security", "settings.manage", "lock"),
    SettingsEntry("Single sign-on", "/settings/sso", "settings.single_sign_on", "login"),
    SettingsEntry("Projects", "/settings/projects", "settings.manage", "folders"),
    SettingsEntry("Keys", "/settings/keys", "settings.manage", "api"),
    SettingsEntry("Navigation", "/settings/navigation", "settings.manage", "list-details"),
    SettingsEntry("Plugins", "/settings/plugins", "settings.manage", "puzzle"),
    SettingsEntry("System messages", "/settings/system-messages", "settings.manage", "message-cog"),
)
"""The core's own settings pages, in their order. Plugins add theirs by `register_navigation`, in the group settings."""


def shown_to(actor: Actor | None, navigation: Iterable[NavigationGroup], brand: Brand) -> Sequence[SettingsEntry]:
    """The lines that `actor` may open: the core's, then those that plugins put below `/settings/`."""
    if actor is None:
        return []
    own = [
        replace(entry, label=brand.label(entry.path, entry.label))
        for entry in MENU
        if (entry.permission == AUTHENTICATED or actor.can_somewhere(entry.permission))
        and (actor.user_id is not None or not entry.personal)
    ]
    return own + [_line(entry) for group in navigation for entry in group.entries if _is_settings_page(entry)]


def _is_settings_page(entry: NavigationEntry) -> bool:
    return entry.group == "settings" and entry.path.startswith(f"{HOME}/")


def _line(entry: NavigationEntry) -> SettingsEntry:
    return SettingsEntry(entry.label, entry.path, entry.permission, entry.icon)
