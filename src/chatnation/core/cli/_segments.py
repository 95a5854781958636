"""`chatnation db rebuild` and `db verify`: the columnar copy of events and of what is made of them."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import select

from chatnation.core.cli._context import Instance, as_json, on_instance
from chatnation.core.cli._output import print_rows
from chatnation.core.clock import SystemClock
from chatnation.core.query.segments.builder import SegmentBuilder
from chatnation.core.query.segments.sources import FactSource
from chatnation.core.query.segments.verifying import count_outdated, days_of, verify
from chatnation.core.storage.models import tenants

one_tenant = click.option("--tenant", metavar="HANDLE", help="Only this tenant; without it, every one.")


@click.command()
@one_tenant
def rebuild(tenant: str | None) -> None:
    """Make the columnar copy anew that questions are answered from.

    Never needed while all is well: a job keeps it up to date. Questions are answered meanwhile, and events stored. May
    be stopped, and started again.
    """

    async def work(instance: Instance) -> int:
        rows = 0
        builder = SegmentBuilder(instance.storage, SystemClock(), _sources(instance))
        with _progress() as progress:
            async for tenant_id, handle in _tenants(instance, tenant):
                rows += await _rebuild(instance, builder, tenant_id, handle, progress)
        return rows

    click.echo(f"{on_instance(work):,} rows were copied.")


@click.command("verify")
@one_tenant
@as_json
def verify_command(tenant: str | None, as_json: bool) -> None:
    """Recount the columnar copy: compare it with the tables, and tell where it says something else.

    The exit status is 1 where it does. Then `chatnation db rebuild` mends it, and we would like to hear of it.
    """

    async def work(instance: Instance) -> tuple[list[dict[str, object]], int]:
        found: list[dict[str, object]] = []
        outdated = 0
        with _progress() as progress:
            async for tenant_id, handle in _tenants(instance, tenant):
                task = progress.add_task(handle, total=None)

                def tell(done: int, total: int, task: object = task) -> None:
                    progress.update(task, completed=done, total=total)  # type: ignore[arg-type]

                differences = verify(instance.storage, tenant_id, _sources(instance), tell)
                found += [{"tenant": handle, **asdict(each)} async for each in differences]
                progress.update(task, completed=1, total=1)
                outdated += await count_outdated(instance.storage, tenant_id)
        return found, outdated

    found, outdated = on_instance(work)
    if outdated:
        words = "segments are of another release's format: their rows are read until the job has built them anew."
        click.echo(f"{outdated:,} {words}", err=True)
    columns = ("tenant", "source", "start", "end", "problem")
    print_rows(found, columns, as_json=as_json, empty="The copy says what the tables do.")
    if found:
        sys.exit(1)


async def _rebuild(instance: Instance, builder: SegmentBuilder, tenant_id: int, handle: str, progress: Progress) -> int:
    rows = 0
    for source in builder.sources:
        days = await days_of(instance.storage, tenant_id, source)
        for day in progress.track(days, description=f"{handle}: {source.name}"):
            rows += await builder.rebuild_day(tenant_id, source, day)
    return rows


async def _tenants(instance: Instance, handle: str | None) -> AsyncIterator[tuple[int, str]]:
    """Ids and handles."""
    if handle is not None:
        chosen = await instance.tenant(handle)
        yield chosen.id, chosen.slug
        return
    async with instance.storage.system("every tenant") as connection:
        everybody = (await connection.execute(select(tenants.c.id, tenants.c.slug).order_by(tenants.c.id))).all()
    for tenant_id, slug in everybody:
        yield tenant_id, slug


def _sources(instance: Instance) -> Sequence[FactSource]:
    return [entry.item for entry in instance.assembly.resources.fact_sources]


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("days"))
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))
