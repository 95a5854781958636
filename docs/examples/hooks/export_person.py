from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import Plugin, hookimpl

SELECT = text("SELECT path, since::text FROM favourites.pages WHERE tenant_id = :tenant AND person_id = ANY(:persons)")


class FavouritesPlugin(Plugin):
    """Favourite pages"""

    name = "favourites"

    @hookimpl
    async def export_person(
        self, connection: AsyncConnection, tenant_id: int, leaf_ids: list[UUID]
    ) -> dict[str, list[dict[str, object]]]:
        rows = await connection.execute(SELECT, {"tenant": tenant_id, "persons": leaf_ids})
        return {"favourites": [dict(row) for row in rows.mappings()]}
