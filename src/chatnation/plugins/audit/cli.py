"""`chatnation audit`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click
from sqlalchemy import text

from chatnation import Instance, on_instance
from chatnation.plugins.audit.sealing import seal_everything
from chatnation.plugins.audit.verifying import Verdict, verify

INSTANCE = "(instance)"


@click.group()
def audit() -> None:
    """Check the audit log."""


@audit.command("verify")
@click.option("--tenant", metavar="HANDLE", help="Only the log of this tenant; otherwise of all, and the instance's.")
@click.option("--head", "expected", metavar="HEAD", help="A head noted before; with --tenant. It must still be there.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify_command(tenant: str | None, expected: str | None, as_json: bool) -> None:
    """Walk the chain of hashes, and say which record was touched. Ends with 1 if any was."""
    if expected and not tenant:
        raise click.UsageError("--head needs --tenant, because each has a chain of its own.")

    async def work(instance: Instance) -> list[Verdict]:
        await seal_everything(instance.storage)
        verdicts = []
        for tenant_id, name in await _chains(instance, tenant):
            async with instance.storage.system("verify an audit log") as connection:
                total = await connection.scalar(_COUNT, {"tenant": tenant_id})
                with _bar(name, total or 0, hidden=as_json) as progress:
                    verdicts.append(await verify(connection, tenant_id, name, expected=expected, progress=progress))
        return verdicts

    verdicts = on_instance(work)
    if as_json:
        instance_json(verdicts)
    else:
        for verdict in verdicts:
            _tell(verdict)
    if not all(verdict.intact for verdict in verdicts):
        sys.exit(1)


def instance_json(verdicts: list[Verdict]) -> None:
    import msgspec

    shown = [{**msgspec.to_builtins(verdict), "intact": verdict.intact} for verdict in verdicts]
    click.echo(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())


def _tell(verdict: Verdict) -> None:
    state = click.style("intact", fg="green") if verdict.intact else click.style("TOUCHED", fg="red", bold=True)
    more = [f"{verdict.checked:,} sealed"]
    for count, word in ((verdict.waiting, "not sealed yet"), (verdict.removed, "removed by retention")):
        if count:
            more.append(f"{count:,} {word}")
    if verdict.redacted:
        more.append(f"{verdict.redacted:,} emptied by erasures")
    click.echo(f"{verdict.chain}: {state}, {', '.join(more)}")
    click.echo(f"  head {verdict.head}")
    for fault in verdict.faults:
        where = f"record {fault.record_id}" if fault.record_id is not None else f"position {fault.position or '-'}"
        click.secho(f"  {where}: {fault.what}", fg="red")


async def _chains(instance: Instance, tenant: str | None) -> list[tuple[int | None, str]]:
    if tenant:
        found = await instance.tenant(tenant)
        return [(found.id, found.slug)]
    async with instance.storage.system("every tenant with an audit log") as connection:
        rows = (await connection.execute(text("SELECT id, slug FROM tenants ORDER BY slug"))).all()
    return [*((row.id, row.slug) for row in rows), (None, INSTANCE)]


class _bar:  # noqa: N801 - used as a function
    """A progress bar on a terminal; nothing elsewhere."""

    def __init__(self, name: str, total: int, *, hidden: bool) -> None:
        hidden = hidden or not sys.stderr.isatty()
        self._bar: Any = None if hidden else click.progressbar(length=total, label=name, file=sys.stderr)

    def __enter__(self) -> Callable[[int], None]:
        if self._bar is None:
            return lambda checked: None
        self._bar.__enter__()
        update: Callable[[int], None] = self._bar.update
        return update

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(*error)


_COUNT = text("SELECT count(*) FROM audit.seals WHERE tenant_id IS NOT DISTINCT FROM CAST(:tenant AS int)")
