"""Where pgqueuer keeps its tables, and how they are brought up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel
from pgqueuer.ports.driver import Driver

if TYPE_CHECKING:
    import asyncpg

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


def jobs_queries(driver: Driver) -> Queries:
    """pgqueuer's statements over `driver`, on our schema."""
    settings = jobs_settings()
    return Queries(
        driver,
        qbe=QueryBuilderEnvironment(settings),
        qbq=QueryQueueBuilder(settings),
        qbs=QuerySchedulerBuilder(settings),
    )


async def upgrade_jobs_schema(connection: asyncpg.Connection[Any]) -> None:
    """Install pgqueuer's tables or bring them up to its installed version. `connection` is in no transaction."""
    queries = jobs_queries(AsyncpgDriver(connection))
    if await queries.schema_is_installed():
        await queries.apply_upgrade()
    else:
        await queries.install()
