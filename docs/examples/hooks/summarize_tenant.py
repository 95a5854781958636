from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import Plugin, hookimpl


class PagesPlugin(Plugin):
    """Views by page"""

    name = "pages"

    @hookimpl
    async def summarize_tenant(self, connection: AsyncConnection, tenant_id: int) -> dict[str, int]:
        query = text("SELECT count(*) FROM pages.views WHERE tenant_id = :tenant")
        return {"pages": await connection.scalar(query, {"tenant": tenant_id}) or 0}
