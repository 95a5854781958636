"""What the supervisor and its children agree on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable

READY = "ready"
"""The line that a child prints when it does its work."""

EXIT_TRY_AGAIN = 75
"""Exit status of a child that lacked a server, as sysexits.h has it: start it again a little later."""

EXIT_MISCONFIGURED = 78
"""Exit status of a child that cannot work with these settings: starting it again is no use."""

_GOODBYE = (signal.SIGTERM, signal.SIGINT)


def announce_ready() -> None:
    """Tell the supervisor that this child does its work. Without a supervisor nobody listens, which is fine."""
    if under_supervision():
        print(READY, flush=True)  # noqa: T201


def under_supervision() -> bool:
    return "CHATNATION_SUPERVISED" in os.environ


def on_goodbye(stop: Callable[[], None]) -> asyncio.Task[None]:
    """Call `stop` when this process is asked to end: by SIGTERM, by Ctrl-C, or by the death of its supervisor.

    Signals count from now on. The task watches the supervisor; cancel it when the work is done.
    """
    loop = asyncio.get_running_loop()
    for number in _GOODBYE:
        loop.add_signal_handler(number, stop)
    return loop.create_task(_outlive_no_supervisor(stop))


async def _outlive_no_supervisor(stop: Callable[[], None]) -> None:
    if under_supervision():
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        await reader.read()
        stop()
