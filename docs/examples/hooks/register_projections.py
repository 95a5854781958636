from collections import Counter
from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import EventBatch, Plugin, Projection, hookimpl

ADD = text(
    "INSERT INTO pages.views (tenant_id, path, views) VALUES (:tenant, :path, :views)"
    " ON CONFLICT (tenant_id, path) DO UPDATE SET views = views.views + excluded.views"
)


async def count_views(connection: AsyncConnection, batch: EventBatch) -> None:
    views = Counter(event.page_path for event in batch if event.page_path)
    if views:
        rows = [{"tenant": batch.tenant_id, "path": path, "views": n} for path, n in sorted(views.items())]
        await connection.execute(ADD, rows)


class PagesPlugin(Plugin):
    """Views by page"""

    name = "pages"

    @hookimpl
    def register_projections(self) -> Iterable[Projection]:
        return [Projection("count_views", count_views)]
