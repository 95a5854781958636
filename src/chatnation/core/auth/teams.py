"""Roles within teams: what the core knows of them. The teams themselves are a plugin's."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection


class TeamRole(StrEnum):
    """What somebody is within one team."""

    MANAGER = "manager"
    AGENT = "agent"


class TeamRoles(Protocol):
    """The service that tells who is what in which team; offered by the plugin that has teams.

    What it tells is kept in memory: that plugin raises the version of `core.auth.effective.CACHE` in each transaction
    that changes it.
    """

    async def roles_of(self, connection: AsyncConnection, tenant_id: int, user_id: int) -> Mapping[str, TeamRole]:
        """The user's role in each of their active teams, by the team's public id."""
