from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import Plugin, hookimpl


class PagesPlugin(Plugin):
    """Views by page"""

    name = "pages"

    @hookimpl
    async def erase_tenant(self, connection: AsyncConnection, tenant_id: int) -> int:
        query = text("DELETE FROM pages.views WHERE tenant_id = :tenant")
        return (await connection.execute(query, {"tenant": tenant_id})).rowcount
