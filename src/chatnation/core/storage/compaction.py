"""Rebuilds the indexes of a month of events once nothing much is added to it any more.

While events arrive, pages split and stay partly empty. Rebuilt, the indexes of a month take five sixths of their space,
and stay so.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.storage.partitions import month_of, months

if TYPE_CHECKING:
    from chatnation.core.clock import Clock
    from chatnation.core.storage.storage import Storage

logger = logging.getLogger(__name__)

SETTLED_AFTER = timedelta(days=3)
_DONE = "indexes rebuilt"


async def compact_months(storage: Storage, clock: Clock) -> list[date]:
    """Rebuild the months that ended some days ago and were not rebuilt yet; gives them.

    Reading and storing go on meanwhile. A month that was interrupted is done again.
    """
    this = month_of(clock.now() - SETTLED_AFTER)
    async with storage.system("find months to compact") as connection:
        due = [month for month in await months(connection) if month < this and not await _is_done(connection, month)]
    for month in due:
        await rebuild_month(storage, month)
        logger.info("rebuilt the indexes of the events of %s", month.strftime("%Y-%m"))
    return due


async def _is_done(connection: AsyncConnection, month: date) -> bool:
    comment = text("SELECT obj_description(to_regclass(:name), 'pg_class')")
    return bool(await connection.scalar(comment, {"name": _name(month)}) == _DONE)


async def rebuild_month(storage: Storage, month: date) -> None:
    """Rebuild the indexes of a month, their pages full to the end, beside those in use until they are ready."""
    # PostgreSQL does this in transactions of its own, so there is no door around it.
    async with storage.engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        for index, valid in (await connection.execute(_INDEXES, {"name": _name(month)})).all():
            statement = f"ALTER INDEX {index} SET (fillfactor = 100)" if valid else f"DROP INDEX {index}"
            await connection.execute(text(statement))
        await connection.execute(text(f"REINDEX TABLE CONCURRENTLY {_name(month)}"))
        await connection.execute(text(f"COMMENT ON TABLE {_name(month)} IS '{_DONE}'"))


def _name(month: date) -> str:
    return f"events_{month:%Y_%m}"


_INDEXES = text("SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = to_regclass(:name)")
