"""The instance that a command or a process belongs to: its servers and its secret."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import SecretStr

from chatnation.core.embedded import EmbeddedServers
from chatnation.core.embedded.account import share_with_owner
from chatnation.core.errors import ConfigurationError
from chatnation.core.settings import Settings
from chatnation.core.vault import KEY_FILE, SECRET_FILE, missing_keys, parse_keys, read_keys

SECRET_LENGTH = 32
_NEW_SECRET = "python -c 'import secrets; print(secrets.token_urlsafe(48))'"


@contextmanager
def opened(settings: Settings) -> Iterator[Settings]:
    """The settings with both addresses and the secret filled in.

    Embedded servers run while the block does: those of a running `chatnation serve` are joined, others are started and,
    if nobody else joined, stopped. Raises ConfigurationError when a secret is missing, EmbeddedError when a server is.
    """
    if not settings.embedded:
        yield with_secret(settings)
        return
    servers = EmbeddedServers(settings.data_dir)
    with servers:
        yield complete(settings, servers)


def complete(settings: Settings, servers: EmbeddedServers) -> Settings:
    """`settings` with what the running `servers` of its data folder provide; a given address wins.

    Encryption keys that were not given are in the data folder, where `Vault.of` finds them, also after a rotation.
    """
    urls = servers.start()
    if settings.encryption_keys is None:
        _kept(servers.data_dir / KEY_FILE, lambda: secrets.token_hex(32))
    return settings.model_copy(
        update={
            "database_url": settings.database_url or urls.database_url,
            "redis_url": settings.redis_url or urls.redis_url,
            "secret_key": settings.secret_key or SecretStr(kept_secret(servers.data_dir)),
        }
    )


def kept_secret(data_dir: Path) -> str:
    """The secret of an embedded instance, made by its first start and readable by its owner only."""
    return _kept(data_dir / SECRET_FILE, lambda: secrets.token_urlsafe(48))


def _kept(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        # Written elsewhere and linked into place: whoever finds the file finds all of it, and only one can be first.
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(make(), "utf-8")
        share_with_owner(draft)
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text("utf-8").strip()


def with_secret(settings: Settings) -> Settings:
    """`settings`, once it is certain that they hold what must be secret: a secret key, and keys that encrypt.

    Raises ConfigurationError that says how to make what is missing.
    """
    if settings.secret_key is None:
        raise ConfigurationError(f"CHATNATION_SECRET_KEY is not set. Make one, and keep it: {_NEW_SECRET}")
    if len(settings.secret_key.get_secret_value()) < SECRET_LENGTH:
        raise ConfigurationError(
            f"CHATNATION_SECRET_KEY is shorter than {SECRET_LENGTH} characters. Make a new one: {_NEW_SECRET}"
        )
    if settings.encryption_keys is not None:
        parse_keys(settings.encryption_keys.get_secret_value())
    elif not read_keys(settings.data_dir / KEY_FILE):
        raise ConfigurationError(missing_keys())
    return settings
