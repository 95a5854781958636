"""A whole instance for a benchmark: `chatnation serve` with servers of its own, in a folder that goes away."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

START_SECONDS = 90.0
STOP_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Instance:
    """A running instance. `process` is its supervisor; the servers and children descend from it or from its folder."""

    url: str
    write_key: str
    data_dir: Path
    process: psutil.Process

    def processes(self) -> list[psutil.Process]:
        """Every process of the instance: supervisor, children, PostgreSQL and Valkey."""
        found = {self.process, *self.process.children(recursive=True)}
        for server in psutil.process_iter():
            try:
                if str(self.data_dir) in " ".join(server.cmdline()):
                    found |= {server, *server.children(recursive=True)}
            except psutil.Error:
                continue
        return list(found)


@asynccontextmanager
async def running_instance(**environment: str) -> AsyncIterator[Instance]:
    """Start an instance, wait until it serves, stop it at the end. `environment` holds `CHATNATION_*` settings."""
    with tempfile.TemporaryDirectory(prefix="chatnation-bench-", ignore_cleanup_errors=True) as folder:
        data_dir = Path(folder) / "data"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chatnation.core.cli", "serve", "--port", "0",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**_clean_environment(), "CHATNATION_DATA_DIR": str(data_dir), **environment},
        )  # fmt: skip
        try:
            url, write_key, drain = await asyncio.wait_for(_announced(process), START_SECONDS)
            try:
                yield Instance(url, write_key, data_dir, psutil.Process(process.pid))
            finally:
                drain.cancel()
        finally:
            if process.returncode is None:
                process.terminate()
                await asyncio.wait_for(process.wait(), STOP_SECONDS)


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CHATNATION_")}


async def _announced(process: asyncio.subprocess.Process) -> tuple[str, str, asyncio.Task[None]]:
    """Address and write key, which the first start prints; the rest of the output is read and dropped."""
    assert process.stdout is not None
    url = write_key = ""
    said: list[str] = []
    while not (url and write_key):
        line = (await process.stdout.readline()).decode()
        if not line:
            raise RuntimeError("the instance did not start:\n" + "".join(said))
        said.append(line)
        if found := re.match(r"\s*Dashboard\s+(\S+)", line):
            url = found[1]
        elif found := re.match(r"\s*Write key\s+(\S+)", line):
            write_key = found[1]
    return url.rstrip("/"), write_key, asyncio.create_task(_drop(process.stdout))


async def _drop(stream: asyncio.StreamReader) -> None:
    while await stream.read(65_536):
        pass
