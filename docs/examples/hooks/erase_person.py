from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import Plugin, hookimpl

DELETE = text("DELETE FROM favourites.pages WHERE tenant_id = :tenant AND person_id = ANY(:persons)")


class FavouritesPlugin(Plugin):
    """Favourite pages"""

    name = "favourites"

    @hookimpl
    async def erase_person(self, connection: AsyncConnection, tenant_id: int, leaf_ids: list[UUID]) -> int:
        return (await connection.execute(DELETE, {"tenant": tenant_id, "persons": leaf_ids})).rowcount
