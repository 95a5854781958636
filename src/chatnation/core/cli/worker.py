"""`chatnation worker`: one process that stores events and runs jobs, for machines that do nothing else."""

from __future__ import annotations

import asyncio

import click
import uvloop

from chatnation.core.compose import compose
from chatnation.core.instance import opened
from chatnation.core.settings import Role, Settings
from chatnation.core.supervisor.worker import work


@click.command()
def worker() -> None:
    """Store events and run jobs, in this one process, until Ctrl-C.

    Finishes the batch in hand before it ends. `chatnation serve --role process` does the same and starts it again
    should it die.
    """
    with opened(Settings()) as settings, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(settings))


async def _work(settings: Settings) -> None:
    await work(compose(settings, role=Role.PROCESS), lambda: click.echo("The worker runs. Ctrl-C stops it."))
