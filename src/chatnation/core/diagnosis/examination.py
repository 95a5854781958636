"""Everything that is looked at, in the order of the report."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack

from redis.asyncio import Redis

from chatnation.core.compose import assemble
from chatnation.core.diagnosis import machine, product, servers
from chatnation.core.diagnosis.finding import Finding, failure
from chatnation.core.embedded import EmbeddedError
from chatnation.core.errors import ConfigurationError
from chatnation.core.instance import opened
from chatnation.core.queue.redis import RedisQueue
from chatnation.core.settings import Settings
from chatnation.core.storage.storage import Storage


async def examine(settings: Settings) -> AsyncGenerator[Finding, None]:
    """Look at the machine, then at the servers, then at what is in them.

    Embedded servers that do not run are started for it and stopped afterwards, unless there is no data folder yet.
    """
    logging.getLogger("chatnation").setLevel(logging.CRITICAL)  # What fails is in the findings.
    yield machine.versions()
    if settings.embedded:
        for finding in machine.data_folder(settings.data_dir):
            yield finding
        if not settings.data_dir.is_dir():
            return
        yield await machine.supervisor(settings.data_dir)
        for finding in machine.embedded_servers(settings.data_dir):
            yield finding
    with ExitStack() as stack:
        try:
            settings = stack.enter_context(opened(settings))
        except ConfigurationError as error:
            yield failure("settings", str(error), "")
            return
        except EmbeddedError as error:
            yield failure("embedded servers", str(error), "")
            return
        async for finding in _inside(settings):
            yield finding


async def _inside(settings: Settings) -> AsyncIterator[Finding]:
    assembly = assemble(settings)
    storage = Storage(settings.database_url or "", pool_size=1, application="chatnation doctor")
    redis = Redis.from_url(settings.redis_url or "", socket_timeout=5, socket_connect_timeout=5)
    queue = RedisQueue.create(settings, "doctor")
    try:
        async for finding in servers.database(storage):
            yield finding
        async for finding in product.schemas(storage, assembly):
            yield finding
        async for finding in product.row_security(storage, assembly):
            yield finding
        async for finding in servers.stream_server(redis):
            yield finding
        yield await servers.stream(queue, settings)
        async for finding in product.leftovers(storage):
            yield finding
        for finding in product.plugins(assembly):
            yield finding
    finally:
        await queue.close()
        await redis.aclose()
        await storage.dispose()
