"""The child that stores events and runs jobs: `python -m chatnation.core.supervisor.worker`."""

from __future__ import annotations

from collections.abc import Callable

import uvloop

from chatnation.core.app import App
from chatnation.core.settings import Role
from chatnation.core.supervisor.process import run_child
from chatnation.core.supervisor.protocol import announce_ready, on_goodbye


async def work(app: App, on_ready: Callable[[], None] = announce_ready) -> None:
    """Store events and run jobs until asked to end; the batch in hand is finished."""
    from chatnation.core.garbage import collect_garbage_rarely
    from chatnation.core.processing.worker import Worker

    async with app.lifespan():
        worker = Worker(app)
        collect_garbage_rarely()
        watching = on_goodbye(worker.stop)
        on_ready()
        try:
            await worker.run()
        finally:
            watching.cancel()


def main() -> None:
    run_child(Role.PROCESS, work, loop_factory=uvloop.new_event_loop)


if __name__ == "__main__":
    main()
