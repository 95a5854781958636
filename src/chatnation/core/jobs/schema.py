"""Where pgqueuer keeps its tables, and how they are brought up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel, OnConflict
from pgqueuer.ports.driver import Driver

if TYPE_CHECKING:
    import asyncpg

    from chatnation.core.storage.tenant_role import TenantRole

SCHEMA = "jobs"


def jobs_settings() -> DBSettings:
    """pgqueuer's names, all given here, so that its environment variables have no say."""
    return DBSettings(
        prefix="",
        db_schema=SCHEMA,
        channel=Channel("chatnation_jobs"),
        function="queue_changed",
        statistics_table="statistics",
        queue_status_type="status",
        queue_table="queue",
        queue_table_log="log",
        trigger="queue_changed",
        schedules_table="schedules",
        durability=Durability.durable,
        widen_id=True,
    )


class _Builder(QueryQueueBuilder):
    """pgqueuer's statements, but jobs are enqueued by our function, which a transaction of a tenant may call."""

    def build_enqueue_query(self, on_conflict: OnConflict = "raise") -> str:
        if on_conflict != "skip":
            raise NotImplementedError("jobs are enqueued once or not at all")
        return f"SELECT ord, id FROM {SCHEMA}.enqueue($1, $2, $3, $4, $5, $6) ORDER BY ord"


def jobs_queries(driver: Driver) -> Queries:
    """pgqueuer's statements over `driver`, on our schema."""
    settings = jobs_settings()
    return Queries(
        driver,
        qbe=QueryBuilderEnvironment(settings),
        qbq=_Builder(settings),
        qbs=QuerySchedulerBuilder(settings),
    )


async def upgrade_jobs_schema(connection: asyncpg.Connection[Any], role: TenantRole) -> None:
    """Install pgqueuer's tables or bring them up to its installed version. `connection` is in no transaction.

    Transactions of tenants may enqueue, which is all that they may do with jobs.
    """
    queries = jobs_queries(AsyncpgDriver(connection))
    if await queries.schema_is_installed():
        await queries.apply_upgrade()
    else:
        await queries.install()
    async with connection.transaction():
        await connection.execute(_ENQUEUE)
        await connection.execute(f"REVOKE ALL ON FUNCTION {_ENQUEUE_NAME} FROM PUBLIC")
        await connection.execute(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {role.quoted}")
        await connection.execute(f"GRANT EXECUTE ON FUNCTION {_ENQUEUE_NAME} TO {role.quoted}")


# pgqueuer's own statement, run as the owner of its tables: whoever calls it reads no job, not even its own.
_ENQUEUE_NAME = f"{SCHEMA}.enqueue(int[], text[], bytea[], interval[], text[], jsonb[])"
_ENQUEUE = f"""
CREATE OR REPLACE FUNCTION {_ENQUEUE_NAME} RETURNS TABLE (ord bigint, id bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $enqueue$
{QueryQueueBuilder(jobs_settings()).build_enqueue_query("skip")}
$enqueue$
"""
