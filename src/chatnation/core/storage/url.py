"""Addresses of databases, as operators write them and as SQLAlchemy wants them."""

from __future__ import annotations

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from chatnation.core.errors import ConfigurationError

_DRIVER = "postgresql+asyncpg"
_SCHEMES = ("postgres", "postgresql", _DRIVER)
_LIBPQ_NAMES = {"sslmode": "ssl", "connect_timeout": "timeout"}
"""Options that libpq and asyncpg name differently."""


def engine_url(database_url: str) -> URL:
    """The address for an engine over asyncpg; takes what psql takes, socket folders included.

    Raises ConfigurationError when it is not the address of a PostgreSQL database.
    """
    try:
        url = make_url(database_url)
    except ArgumentError:
        raise ConfigurationError(
            "The database address cannot be read. It looks like postgresql://user:password@host:5432/database."
        ) from None
    if url.drivername not in _SCHEMES:
        raise ConfigurationError(f"The database must be PostgreSQL, but its address starts with {url.drivername}://.")
    query = {_LIBPQ_NAMES.get(name, name): value for name, value in url.query.items()}
    return url.set(drivername=_DRIVER, query=query)
