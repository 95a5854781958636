"""A whole instance for a test: `chatnation serve` in processes of its own, with servers of its own."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

import psutil

from chatnation.core.embedded import EmbeddedServers
from chatnation.testing.servers import scratch_folder

_SHOWN = re.compile(r"^  (Dashboard|E-mail|Password|Write key) +(\S+)$", re.MULTILINE)
_POLL_SECONDS = 0.02
_PORTS = (20_000, 32_000)


class Part(StrEnum):
    """The processes that make up an instance."""

    SUPERVISOR = "supervisor"
    WEB = "web"
    WORKER = "worker"
    POSTGRES = "postgres"
    VALKEY = "valkey"


class Instance:
    """One data folder and the `chatnation serve` that is started on it, as often as a test likes.

    `url` is where it answers now. `write_key`, `email` and `password` are what the first start printed.
    """

    def __init__(
        self, data_dir: Path, *, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.log = self.data_dir.with_name(f"{self.data_dir.name}.log")
        self.arguments = list(arguments)
        self.environment = dict(environment or {})
        self.shown: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.shown["Dashboard"]

    @property
    def write_key(self) -> str:
        return self.shown["Write key"]

    @property
    def email(self) -> str:
        return self.shown["E-mail"]

    @property
    def password(self) -> str:
        return self.shown["Password"]

    def start(self, *, seconds: float = 120) -> None:
        """Start `chatnation serve` and wait until it says that it runs. A later start keeps the port of the first."""
        port = self.url.rpartition(":")[2] if self.shown else str(_free_port())
        already = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.line("serve", "--port", port), *self.arguments],
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + seconds
        awaited = {"Dashboard"} if self.shown else {"Dashboard", "Write key"}
        while not awaited <= dict(_SHOWN.findall(said := self.output(already))).keys():
            if self._process.poll() is not None:
                raise RuntimeError(f"chatnation serve ended with {self._process.returncode}:\n{said}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"chatnation serve did not get ready:\n{said}")
            time.sleep(_POLL_SECONDS)
        self.shown |= dict(_SHOWN.findall(said))

    def stop(self, *, seconds: float = 60) -> int:
        """Ask it to stop, as Ctrl-C does, and wait; gives the exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(seconds)

    def wait(self, *, seconds: float = 60) -> int:
        """Wait until `chatnation serve` ends by itself; gives the exit status."""
        assert self._process is not None
        return self._process.wait(seconds)

    def kill(self, *parts: Part) -> list[psutil.Process]:
        """SIGKILL to every process of these parts, of all without any; gives those that were hit, which are dead."""
        victims = [process for part in parts or Part for process in self.processes(part)]
        for process in victims:
            with suppress(psutil.NoSuchProcess):  # A server's children die with it.
                process.kill()
        if self._process is not None and Part.SUPERVISOR in (parts or Part):
            self._process.wait()
        psutil.wait_procs([process for process in victims if process.pid != self._pid], timeout=10)
        return victims

    def processes(self, part: Part) -> list[psutil.Process]:
        """The running processes of a part, those included whose parent died."""
        return [process for process in psutil.process_iter() if self._part_of(process) == part]

    def output(self, start: int = 0) -> str:
        """What `chatnation serve` has printed and logged, from a byte on."""
        return self.log.read_bytes()[start:].decode(errors="replace")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another `chatnation` command on the data folder."""
        return subprocess.run(
            self.line(*arguments), env=self.variables, capture_output=True, text=True, check=False, timeout=120
        )

    @staticmethod
    def line(*arguments: str) -> list[str]:
        """The command line of `chatnation` with these arguments."""
        return [sys.executable, "-m", "chatnation.core.cli", *arguments]

    def json(self, *arguments: str) -> object:
        """What a `chatnation` command prints as JSON."""
        done = self.command(*arguments, "--json")
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise RuntimeError(f"chatnation {' '.join(arguments)} failed: {done.stderr}") from None

    @property
    def _pid(self) -> int | None:
        return self._process.pid if self._process else None

    def _part_of(self, process: psutil.Process) -> Part | None:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            if process.pid == self._pid:
                return Part.SUPERVISOR
            name = process.name()
            if name in ("postgres", "valkey-server"):
                ours = Path(process.cwd()).parent == self.data_dir
                return (Part.POSTGRES if name == "postgres" else Part.VALKEY) if ours else None
            line = " ".join(process.cmdline())
            if "chatnation.core.supervisor." not in line:
                return None
            if process.environ().get("CHATNATION_DATA_DIR") != str(self.data_dir):
                return None
            return Part.WEB if "supervisor.web" in line else Part.WORKER if "supervisor.worker" in line else None
        except (psutil.Error, OSError):
            return None

    @property
    def variables(self) -> dict[str, str]:
        """The environment of its processes."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CHATNATION_")}
        return {**inherited, "CHATNATION_DATA_DIR": str(self.data_dir), **self.environment}


def _free_port() -> int:
    """A port from below those that systems give to connections.

    One of those would be taken, while the instance is dead, by whoever connects to anything, or to this very port.
    """
    while True:
        port = random.randrange(*_PORTS)
        with socket.socket() as attempt, suppress(OSError):
            attempt.bind(("127.0.0.1", port))
            return port


@contextmanager
def new_instance(*, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> Iterator[Instance]:
    """An instance that has not been started, in a folder that goes away with everything that still runs in it."""
    parent = Path(tempfile.mkdtemp(prefix="chatnation-instance-", dir=scratch_folder()))
    instance = Instance(parent / "data", arguments=arguments, environment=environment)
    try:
        yield instance
    finally:
        instance.kill()
        if instance.data_dir.exists():
            EmbeddedServers(instance.data_dir, temporary=True).remove_abandoned()
        shutil.rmtree(parent)
