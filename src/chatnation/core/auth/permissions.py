"""What roles may do."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from chatnation.core.auth.teams import TeamRole
from chatnation.core.web.routing import Permission

if TYPE_CHECKING:
    from chatnation.core.plugin.resources import Registered


class RoleName(StrEnum):
    """The roles that every tenant has."""

    SUPER_ADMIN = "super_admin"
    ADMIN = "admin"
    DEVELOPER = "developer"
    AUDITOR = "auditor"
    AGENT = "agent"

    @classmethod
    def _missing_(cls, value: object) -> RoleName | None:
        """Other spellings: capitals, and what earlier systems called them."""
        if not isinstance(value, str):
            return None
        name = value.strip().lower()
        name = _ALIASES.get(name, name)
        return next((role for role in cls if role.value == name), None)


_ALIASES = {"member": "agent", "system_admin": "super_admin"}
_ADMINS = frozenset({RoleName.SUPER_ADMIN, RoleName.ADMIN})

CORE_PERMISSIONS = (
    Permission("analytics.view", "See dashboards and reports", _ADMINS | {RoleName.DEVELOPER, RoleName.AUDITOR}),
    Permission("analytics.export", "Download the rows behind a report", _ADMINS),
    Permission("settings.manage", "Change settings, projects and keys", _ADMINS | {RoleName.DEVELOPER}),
    Permission("settings.password_complexity", "Set the rules for passwords", _ADMINS),
    Permission("settings.two_factor", "Require or lift the second factor", _ADMINS),
    Permission("settings.single_sign_on", "Set up single sign-on", _ADMINS),
    Permission("users.manage", "Invite people and change their roles", _ADMINS),
    Permission("users.delete", "Remove people", _ADMINS),
    Permission("roles.delete", "Remove roles", _ADMINS),
    Permission(
        "persons.view",
        "Look up a person, see their timeline, and read who somebody is in reports",
        _ADMINS | {RoleName.DEVELOPER, RoleName.AUDITOR},
    ),
    Permission("persons.export", "Hand out everything known about a person", _ADMINS),
    Permission("persons.erase", "Erase a person for good", frozenset({RoleName.SUPER_ADMIN})),
    Permission("persons.merge", "Join and split persons", _ADMINS),
    Permission("admin.danger_zone", "Erase teams, roles, people or everything", frozenset({RoleName.SUPER_ADMIN})),
    Permission("instance.view", "See plugins, health and versions", _ADMINS | {RoleName.DEVELOPER}),
)
"""The core's own. Plugins register theirs, each with the roles that hold it by default."""


class Roles:
    """The permissions of each role by default, from everything that was registered.

    A super_admin holds all of them, so that there is always somebody who can give them to others.
    """

    def __init__(self, permissions: Iterable[Registered[Permission]]) -> None:
        self.registered = tuple(permissions)
        held = [entry.item for entry in self.registered]
        self.known = frozenset(permission.name for permission in held)
        self._by_role = {
            role: frozenset(permission.name for permission in held if role in permission.roles) for role in RoleName
        } | {RoleName.SUPER_ADMIN: self.known}
        self._by_team_role = {
            role: frozenset(permission.name for permission in held if role in permission.team_roles)
            for role in TeamRole
        }

    def permissions(self, role: str) -> frozenset[str]:
        """What a system role may do; nothing, if nobody knows it."""
        try:
            return self._by_role[RoleName(role)]
        except ValueError:
            return frozenset()

    def team_permissions(self, role: str) -> frozenset[str]:
        """What a role within a team may do there; nothing, if nobody knows it."""
        try:
            return self._by_team_role[TeamRole(role.strip().lower())]
        except ValueError:
            return frozenset()
