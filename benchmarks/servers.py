"""PostgreSQL and Valkey of a benchmark's own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import text

from chatnation.core.embedded import EmbeddedServers, ServerUrls
from chatnation.core.settings import Settings
from chatnation.core.storage.storage import Storage

SECRET = "0123456789abcdef" * 3


@contextmanager
def own_servers() -> Iterator[Settings]:
    """Settings that lead to servers in a folder that goes away at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="chatnation-bench-", ignore_cleanup_errors=True) as folder,
        EmbeddedServers(Path(folder) / "data") as urls,
    ):
        yield settings_of(urls, Path(folder))


def settings_of(urls: ServerUrls, folder: Path) -> Settings:
    """Settings that lead to servers, and keep what they keep in a folder."""
    return Settings(
        database_url=urls.database_url, redis_url=urls.redis_url, secret_key=SecretStr(SECRET), data_dir=folder
    )


async def tidy(storage: Storage) -> None:
    """Leave the tables as PostgreSQL would in time: old rows gone, statistics up to date."""
    async with storage.engine.connect() as plain:
        outside = await plain.execution_options(isolation_level="AUTOCOMMIT")
        await outside.execute(text("VACUUM ANALYZE"))
