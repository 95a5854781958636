"""`chatnation secrets`: the keys that encrypt what is secret in the database."""

from __future__ import annotations

import os
import secrets as random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from chatnation.core.cli._context import Instance, as_json, on_instance
from chatnation.core.cli._output import print_json
from chatnation.core.embedded.account import share_with_owner
from chatnation.core.errors import ConfigurationError
from chatnation.core.sealed_columns import SealedColumn
from chatnation.core.storage.rotation import SealedState, inspect, present, rotate
from chatnation.core.vault import KEY_FILE, Vault, key_id, read_keys


@click.group()
def secrets() -> None:
    """Check and rotate the keys that encrypt secrets at rest."""


@secrets.command()
@as_json
def check(as_json: bool) -> None:
    """Open everything that is sealed, and say which key sealed how much. Ends with 1 if something does not open."""

    async def work(instance: Instance) -> list[SealedState]:
        columns = await _columns(instance)
        return await inspect(instance.storage, Vault.of(instance.settings), columns, _progress(hidden=as_json))

    _tell(on_instance(work), as_json=as_json)


@secrets.command("rotate")
@as_json
def rotate_command(as_json: bool) -> None:
    """Seal everything with the first key of CHATNATION_ENCRYPTION_KEYS.

    Put a new key in front of the old ones, restart every process, and run this; it can be stopped and started again.
    Then take the old keys out. An embedded instance makes the new key by itself, and keeps the one before it until the
    next rotation, because running processes may still use it.
    """

    async def work(instance: Instance) -> list[SealedState]:
        settings = instance.settings
        kept = settings.data_dir / KEY_FILE
        before = read_keys(kept) if settings.encryption_keys is None else []
        if before:
            _write(kept, [random.token_bytes(32), *before])
        vault = Vault.of(settings)
        states = await rotate(instance.storage, vault, await _columns(instance), _progress(hidden=as_json))
        if before and not any(state.broken for state in states):
            _write(kept, read_keys(kept)[:2])
        async with instance.storage.system("record that keys were rotated") as connection:
            said = {"key_id": vault.sealing_key, "rows": sum(sum(state.by_key.values()) for state in states)}
            await instance.record(connection, None, "config.secrets.rotated", "secrets", **said)
        return states

    states = on_instance(work)
    _tell(states, as_json=as_json)
    if not as_json:
        click.echo(
            "Everything is sealed with the first key. Old keys can be taken out once every process was restarted."
        )


async def _columns(instance: Instance) -> list[SealedColumn]:
    registered = [entry.item for entry in instance.assembly.resources.sealed_columns]
    async with instance.storage.system("which tables hold secrets") as connection:
        return await present(connection, registered)


def _write(path: Path, keys: Sequence[bytes]) -> None:
    """Replace the file in one step, readable by its owner only."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text("\n".join(key.hex() for key in keys), "utf-8")
    share_with_owner(draft)
    if {key_id(key) for key in read_keys(draft)} != {key_id(key) for key in keys}:
        raise ConfigurationError(f"{path} could not be written.")
    draft.replace(path)


def _progress(*, hidden: bool) -> Callable[[str, int], None]:
    done: dict[str, int] = {}

    def tell(label: str, rows: int) -> None:
        done[label] = done.get(label, 0) + rows
        if not hidden and sys.stderr.isatty():
            click.echo(f"\r{label}: {done[label]:,}", nl=False, err=True)

    return tell


def _tell(states: list[SealedState], *, as_json: bool) -> None:
    if as_json:
        print_json([{"column": state.column, "by_key": dict(state.by_key), "broken": state.broken} for state in states])
    for state in [] if as_json else states:
        held = ", ".join(f"{count:,} by key {key}" for key, count in state.by_key.items()) or "nothing"
        click.echo(f"{state.column}: {held}")
        for context in state.broken[:20]:
            click.secho(f"  {context} does not open", fg="red")
    if any(state.broken for state in states):
        sys.exit(1)
