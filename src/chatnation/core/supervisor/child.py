"""One working process, from the supervisor's side."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from chatnation.core.supervisor.protocol import EXIT_MISCONFIGURED, EXIT_TRY_AGAIN, READY

logger = logging.getLogger(__name__)

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 10.0
_STEADY_SECONDS = 30.0
_MOST_FAILED_STARTS = 5


class CannotStart(Exception):
    """The child cannot work with these settings, or broke at every start; it has printed why."""


class Child:
    """A process that is started again whenever it ends, sooner at first and then less often."""

    def __init__(
        self,
        name: str,
        module: str,
        arguments: Sequence[str] = (),
        *,
        descriptors: Sequence[int] = (),
        starts_after: Sequence[Child] = (),
    ) -> None:
        self.name = name
        self._ready = asyncio.Event()
        self._command = (sys.executable, "-m", module, *arguments)
        self._starts_after = starts_after
        self._descriptors = tuple(descriptors)
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._restarted = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def keep_running(self, environment: Callable[[], Mapping[str, str]]) -> None:
        """Run the process, again and again, until `stop`. Raises CannotStart when there is no use in it."""
        for other in self._starts_after:
            await other.working()
        delay, failures = _FIRST_DELAY, 0
        while True:
            started = time.monotonic()
            status = await self._run(environment())
            worked = self._ready.is_set()
            self._ready.clear()
            if self._stopping:
                return
            failures = 0 if worked or status == EXIT_TRY_AGAIN else failures + 1
            if status == EXIT_MISCONFIGURED or failures == _MOST_FAILED_STARTS:
                raise CannotStart(self.name)
            if time.monotonic() - started > _STEADY_SECONDS:
                delay = _FIRST_DELAY
            self._restarted = True
            logger.warning("%s ended (%s); it is started again in %.1f s", self.name, _describe(status), delay)
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY)

    async def working(self) -> None:
        """Wait until the process does its work."""
        await self._ready.wait()

    def restart(self) -> None:
        """Let the process finish what it does, and start again with the environment of that moment."""
        self._send(signal.SIGTERM)

    async def stop(self, seconds: float) -> None:
        """Ask the process to finish what it does, and kill it if it has not after so long."""
        self._stopping = True
        self._send(signal.SIGTERM)
        if self._process is not None:
            try:
                await asyncio.wait_for(self._process.wait(), seconds)
            except TimeoutError:
                logger.warning("%s did not finish within %.0f s and is killed", self.name, seconds)
                self.kill()

    def kill(self) -> None:
        self._stopping = True
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _run(self, environment: Mapping[str, str]) -> int:
        self._process = process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=self._descriptors,
            env={**os.environ, **environment, "CHATNATION_SUPERVISED": "1"},
            # Ctrl-C in a terminal reaches the supervisor alone, which stops its children in order.
            start_new_session=True,
        )
        if self._stopping:
            self.kill()
        assert process.stdout is not None
        async for line in process.stdout:
            if line.decode().strip() == READY:
                self._ready.set()
                if self._restarted:
                    logger.info("%s works again (process %d)", self.name, process.pid)
            else:
                sys.stdout.buffer.write(line)
        return await process.wait()


async def first_of(*work: Awaitable[object]) -> None:
    """Run everything until one of it ends, and cancel the rest; raises what the first one raised."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _describe(status: int) -> str:
    return f"status {status}" if status >= 0 else f"signal {signal.Signals(-status).name}"
