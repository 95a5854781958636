"""Teams that the danger zone can delete, with a copy in its archive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import Actor, Archivable, ChatnationError, Choice, Doomed, Plugin, hookimpl


class TeamsPlugin(Plugin):
    """Teams

    Keeps teams.
    """

    name = "teams"

    @hookimpl
    def register_archivables(self) -> Iterable[Archivable]:
        return [
            Archivable(
                entity="team",
                label="Team",
                permission="teams.delete",
                consequences="Its members are in no team then.",
                choices=self._choices,
                examine=self._examine,
                delete=self._delete,
            )
        ]

    async def _choices(self, connection: AsyncConnection, actor: Actor) -> Sequence[Choice]:
        query = text("SELECT slug, name FROM teams.teams WHERE tenant_id = :tenant ORDER BY name")
        return [Choice(slug, name) for slug, name in await connection.execute(query, {"tenant": actor.tenant.id})]

    async def _examine(self, connection: AsyncConnection, actor: Actor, key: str) -> Doomed:
        query = text("SELECT slug, name FROM teams.teams WHERE tenant_id = :tenant AND slug = :slug FOR UPDATE")
        row = (await connection.execute(query, {"tenant": actor.tenant.id, "slug": key})).one_or_none()
        if row is None:
            raise ChatnationError("There is no such team.")
        return Doomed(row.slug, row.name, snapshot={"slug": row.slug, "name": row.name})

    async def _delete(self, connection: AsyncConnection, actor: Actor, doomed: Doomed) -> None:
        query = text("DELETE FROM teams.teams WHERE tenant_id = :tenant AND slug = :slug")
        await connection.execute(query, {"tenant": actor.tenant.id, "slug": doomed.key})
