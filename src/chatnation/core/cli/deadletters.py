"""`chatnation deadletters`: what could not be stored, and what to do about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click

from chatnation.core.auth.tenancy import find_tenant
from chatnation.core.cli._context import Instance, as_json, on_instance
from chatnation.core.cli._output import print_json, print_rows
from chatnation.core.clock import SystemClock
from chatnation.core.compose import build
from chatnation.core.errors import NotFound
from chatnation.core.queue.deadletters import DeadLetter, DeadLetters
from chatnation.core.settings import Role

T = TypeVar("T")

of_tenant = click.option("--tenant", envvar="CHATNATION_TENANT", metavar="HANDLE", help="Only those of one tenant.")


@click.group()
def deadletters() -> None:
    """List, inspect, replay and drop deliveries that could not be stored."""


@deadletters.command("list")
@of_tenant
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="At most so many.")
@as_json
def list_letters(tenant: str | None, limit: int, as_json: bool) -> None:
    """The latest first, with the reason of each."""
    letters = _run(tenant, lambda box, tenant_id: box.list(tenant_id, limit=limit))
    rows = [_summary(letter) for letter in letters]
    columns = ("id", "buried_at", "tenant_id", "project_id", "events", "replays", "reason")
    print_rows(rows, columns, as_json=as_json, empty="There are no dead letters.")


@deadletters.command()
@click.argument("letter_id", type=int, metavar="ID")
@as_json
def show(letter_id: int, as_json: bool) -> None:
    """One letter with its events, as they came."""
    letter = _run(None, lambda box, tenant_id: box.get(tenant_id, letter_id))
    if letter is None:
        raise NotFound(f"There is no dead letter {letter_id}.")
    if as_json:
        print_json({**_summary(letter), "body": letter.body})
        return
    for name, value in _summary(letter).items():
        click.echo(f"{name.replace('_', ' '):<14}{value}")
    print_json(letter.body)


@deadletters.command()
@click.argument("letter_ids", type=int, nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="All there are.")
@of_tenant
@as_json
def replay(letter_ids: tuple[int, ...], everything: bool, tenant: str | None, as_json: bool) -> None:
    """Put letters back on the stream, once what kept them from being stored was mended."""
    ids = _chosen(letter_ids, everything)
    _tell("replayed", _run(tenant, lambda box, tenant_id: box.replay(tenant_id, ids)), as_json=as_json)


@deadletters.command()
@click.argument("letter_ids", type=int, nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="All there are.")
@of_tenant
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
def drop(letter_ids: tuple[int, ...], everything: bool, tenant: str | None, yes: bool, as_json: bool) -> None:
    """Delete letters for good."""
    ids = _chosen(letter_ids, everything)
    if not yes:
        click.confirm("Their events will be lost. Go on?", abort=True)
    _tell("dropped", _run(tenant, lambda box, tenant_id: box.drop(tenant_id, ids)), as_json=as_json)


def _chosen(ids: tuple[int, ...], everything: bool) -> list[int] | None:
    if bool(ids) == everything:
        raise click.UsageError("Give the ids of letters, or --all.")
    return None if everything else list(ids)


def _run(tenant: str | None, work: Callable[[DeadLetters, int | None], Awaitable[T]]) -> T:
    """Do `work`; `tenant` is a handle, None stands for all."""

    async def on_letters(instance: Instance) -> T:
        app = build(instance.settings, instance.assembly, role=Role.PROCESS, clock=SystemClock())
        try:
            return await work(DeadLetters(app), await _tenant_id(instance, tenant) if tenant else None)
        finally:
            await app.queue.close()
            await app.redis.aclose()
            await app.storage.dispose()

    return on_instance(on_letters)


async def _tenant_id(instance: Instance, handle: str) -> int:
    async with instance.storage.system("find a tenant") as connection:
        return (await find_tenant(connection, handle)).id


def _summary(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "tenant_id": letter.tenant_id,
        "project_id": letter.project_id,
        "delivery_id": str(letter.delivery_id),
        "received_at": letter.received_at,
        "buried_at": letter.buried_at,
        "events": letter.events,
        "replays": letter.replays,
        "reason": letter.reason,
    }


def _tell(done: str, events: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"events": events})
    else:
        click.echo(f"{events} event{' was' if events == 1 else 's were'} {done}.")
