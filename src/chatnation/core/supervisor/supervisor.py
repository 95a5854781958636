"""Keeps the servers and the children of one instance alive, and stops them in order."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from chatnation.core.embedded import EmbeddedServers
from chatnation.core.errors import ChatnationError
from chatnation.core.instance import complete, with_secret
from chatnation.core.settings import Role, Settings
from chatnation.core.supervisor.address import listen, url_of
from chatnation.core.supervisor.child import CannotStart, Child, first_of
from chatnation.core.supervisor.claim import Claim, Serving
from chatnation.core.supervisor.protocol import EXIT_TRY_AGAIN

logger = logging.getLogger(__name__)

_LOOK_AT_SERVERS_SECONDS = 0.25
_RETRY_SECONDS = 2.0
_FINISH_SECONDS = 30.0


T = TypeVar("T")


class StartFailed(ChatnationError):
    """A child could not start; it has printed why."""


@dataclass(frozen=True, slots=True)
class Started:
    """What the operator is told. `first_start` holds the fields of `auth.bootstrap.FirstStart`, on the first start."""

    url: str | None
    first_start: Mapping[str, str] | None
    failed_plugins: Mapping[str, str]


class Supervisor:
    """One run of `chatnation serve`. `tell` is called once everything works; `demo` then sends made-up events."""

    def __init__(self, settings: Settings, role: Role, tell: Callable[[Started], None], *, demo: bool = False) -> None:
        self._given = settings
        self._settings = settings
        self._role = role
        self._tell = tell
        self._demo = demo
        self._claim = Claim(settings.data_dir) if settings.embedded else None
        self._servers = EmbeddedServers(settings.data_dir) if settings.embedded else None
        # One thread, so that calls follow each other even when whoever awaited one was cancelled.
        self._thread = ThreadPoolExecutor(1)
        self._children: list[Child] = []
        self._asked_to_stop = asyncio.Event()

    async def run(self) -> None:
        """Serve until asked to stop by SIGTERM or Ctrl-C; asked twice, stop at once.

        Raises ConfigurationError or EmbeddedError with a sentence for the operator, StartFailed when a child that could
        not start has printed it.
        """
        self._listen_to_signals()
        async with AsyncExitStack() as stack:
            # Before the port, so that a second start learns of the first rather than of a port that is taken.
            if self._claim:
                stack.enter_context(self._claim.held(self._role))
            listening = self._open_socket(stack)
            await stack.enter_async_context(self._running_servers())
            prepared = await self._prepare()
            if prepared is None:
                return
            url = self._given.public_url or (url_of(listening, self._given.host) if listening else None)
            self._children = self._make_children(listening, url)
            stack.push_async_callback(self._stop_children)
            try:
                await first_of(
                    self._asked_to_stop.wait(),
                    self._watch_servers(),
                    self._announce(Started(url, prepared["first_start"], prepared["failed_plugins"])),
                    *(child.keep_running(self._environment) for child in self._children),
                )
            except CannotStart as failure:
                raise StartFailed(f"{failure} could not start") from failure

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)

    def _stop(self) -> None:
        if self._asked_to_stop.is_set():
            for child in self._children:
                child.kill()
        self._asked_to_stop.set()

    def _open_socket(self, stack: AsyncExitStack) -> socket.socket | None:
        if self._role is Role.PROCESS:
            return None
        listening = listen(self._given.host, self._given.port)
        stack.callback(listening.close)
        return listening

    @asynccontextmanager
    async def _running_servers(self) -> AsyncIterator[None]:
        if self._servers is None:
            self._settings = with_secret(self._given)
            yield
            return
        try:
            self._settings = await self._call_servers(complete, self._given, self._servers)
            yield
        finally:
            await self._call_servers(self._servers.stop)

    async def _watch_servers(self) -> None:
        """Start a server again that died, and the children with it if its address changed."""
        if self._servers is None:
            await asyncio.Event().wait()
            return
        while True:
            await asyncio.sleep(_LOOK_AT_SERVERS_SECONDS)
            if await self._call_servers(self._servers.alive):
                continue
            logger.warning("a server of %s died; it is started again", self._servers.data_dir)
            try:
                settings = await self._call_servers(complete, self._given, self._servers)
            except ChatnationError:
                logger.exception("the server could not be started; the next try is in %.0f s", _RETRY_SECONDS)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            if settings != self._settings:
                self._settings = settings
                for child in self._children:
                    child.restart()

    async def _call_servers(self, call: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)

    async def _prepare(self) -> dict[str, Any] | None:
        """Upgrade and make what there must be; None when asked to stop meanwhile."""
        arguments = ["--upgrade"] if self._servers else []
        while not self._asked_to_stop.is_set():
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "chatnation.core.supervisor.prepare", *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, **self._environment()},
            )
            output, _ = await process.communicate()
            if process.returncode == 0:
                prepared: dict[str, Any] = json.loads(output)
                return prepared
            if process.returncode != EXIT_TRY_AGAIN:
                raise StartFailed("the database could not be prepared")
            logger.warning("the database is out of reach; the next try is in %.0f s", _RETRY_SECONDS)
            await first_of(self._asked_to_stop.wait(), asyncio.sleep(_RETRY_SECONDS))
        return None

    def _make_children(self, listening: socket.socket | None, url: str | None) -> list[Child]:
        children = []
        if listening is not None:
            arguments = ("--role", self._role.value, "--socket", str(listening.fileno()))
            for name in _names("web process", self._given.workers):
                web = "chatnation.core.supervisor.web"
                children.append(Child(name, web, arguments, descriptors=[listening.fileno()]))
        if self._role in (Role.ALL, Role.PROCESS):
            names = _names("worker process", self._given.processors)
            children.extend(Child(name, "chatnation.core.supervisor.worker") for name in names)
        if self._demo and url:
            sending = ("demo", "--live", "--url", url)
            children.append(Child("demo", "chatnation.core.cli", sending, starts_after=children.copy()))
        return children

    async def _stop_children(self) -> None:
        """Stop those that take requests first, then those that store what was taken."""
        web = [child for child in self._children if child.name.startswith("web")]
        rest = [child for child in self._children if child not in web]
        for group in (web, rest):
            await asyncio.gather(*(child.stop(_FINISH_SECONDS) for child in group))

    async def _announce(self, started: Started) -> None:
        for child in self._children:
            await child.working()
        if self._claim:
            self._claim.publish(Serving(os.getpid(), self._role, started.url))
        self._tell(started)
        await asyncio.Event().wait()

    def _environment(self) -> dict[str, str]:
        """What the children need to know beyond the environment that they inherit."""
        settings = self._settings
        assert settings.secret_key is not None
        return {
            "CHATNATION_DATABASE_URL": settings.database_url or "",
            "CHATNATION_REDIS_URL": settings.redis_url or "",
            "CHATNATION_SECRET_KEY": settings.secret_key.get_secret_value(),
            "CHATNATION_DATA_DIR": str(settings.data_dir.resolve()),
        }


def _names(name: str, count: int) -> list[str]:
    """What processes of a kind are called; one alone needs no number."""
    return [name] if count == 1 else [f"{name} {number}" for number in range(1, count + 1)]
