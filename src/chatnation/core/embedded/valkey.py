"""The Valkey server of one data folder."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil

from chatnation.core.embedded.account import account_for, give, reachable
from chatnation.core.embedded.binaries import valkey_program
from chatnation.core.embedded.errors import EmbeddedError
from chatnation.core.embedded.locks import FolderLock
from chatnation.core.embedded.process import POLL_SECONDS, processes_in, set_adrift, spawn, tail, terminate
from chatnation.core.embedded.sockets import SocketFolder
from chatnation.core.embedded.status import ServerStatus

_PROGRAM = "valkey-server"
_LOADING_SECONDS = 600.0
_SILENT_SECONDS = 2.0
_STOPPING = ((signal.SIGTERM, 60.0), (signal.SIGKILL, 10.0))
_MEMORY_SHARE = 4


class Valkey:
    """Starts, finds again and stops Valkey in ``<data_dir>/valkey``.

    Callers hold the data folder's start lock, so no two of them are in here at the same time.
    """

    def __init__(self, data_dir: Path, sockets: SocketFolder, *, durable: bool) -> None:
        self.folder = data_dir / "valkey"
        self.log = data_dir / "valkey.log"
        self._lock = FolderLock(data_dir / "valkey.lock")
        self._sockets = sockets
        self._durable = durable
        self._child: subprocess.Popen[bytes] | None = None

    def ensure_running(self) -> Path:
        """Join the running server or start one, loading what its log holds; gives the path of its socket."""
        started = time.monotonic()
        while not self._lock.try_take():
            path = self._socket_file()
            answer = _ping(path) if path else None
            if path and answer == "+PONG":
                return path
            if time.monotonic() - started > (_SILENT_SECONDS if answer is None else _LOADING_SECONDS):
                # It runs, and somebody removed its socket.
                terminate(self._lock, self.folder, _PROGRAM, _STOPPING)
                break
            time.sleep(POLL_SECONDS)
        try:
            return self._start()
        finally:
            self._lock.release()

    def stop(self) -> None:
        """Shut down cleanly, if it runs at all."""
        if not self._lock.try_take():
            terminate(self._lock, self.folder, _PROGRAM, _STOPPING)
        self._lock.release()
        self._reap()

    def leave_running(self) -> None:
        """Let go of a server that others still use."""
        if self._child is not None:
            set_adrift(self._child)
            self._child = None

    def alive(self) -> bool:
        """Whether its process runs."""
        return self._is_running()

    def status(self) -> ServerStatus:
        process = next(iter(processes_in(self.folder, _PROGRAM)), None) if self._is_running() else None
        return ServerStatus(
            name="Valkey",
            running=process is not None,
            pid=process.pid if process else None,
            version=valkey_program(None).version if process else None,
            socket=self._socket_file() if process else None,
            folder=self.folder,
            log=self.log,
        )

    def _is_running(self) -> bool:
        if self._child is not None:
            self._child.poll()
        if not self._lock.path.exists():
            return False
        if self._lock.try_take():
            self._lock.release()
            return False
        return True

    def _socket_file(self) -> Path | None:
        sockets = self._sockets.recorded()
        return sockets / "valkey.sock" if sockets else None

    def _start(self) -> Path:
        self._reap()
        account = account_for(self.folder)
        program = valkey_program(account)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        sockets = self._sockets.provide(account)
        path = sockets / "valkey.sock"
        path.unlink(missing_ok=True)
        for leftover in self.folder.glob("temp-*"):
            leftover.unlink()
        configuration = self.folder / "valkey.conf"
        configuration.write_text(self._configuration(path), "utf-8")
        give(self.folder, account)
        if account:
            os.chown(configuration, account.uid, account.gid)
        self._child = spawn(
            (program.path, reachable(self.folder, account) / configuration.name),
            folder=self.folder,
            account=account,
            lock=self._lock,
            log=self.log,
        )
        self._wait_until_ready(self._child, path)
        return path

    def _configuration(self, path: Path) -> str:
        # Valkey writes its log before it answers, so what was answered is with the kernel and outlives any killed
        # process. `everysec` has a hole: while a flush is slow it puts the write off, for up to 2 s, and answers all
        # the same. `no` has none, but leaves it to the kernel when the disk gets it; `always` waits for the disk.
        return f"""\
# Written at every start; put your own lines into local.conf.
port 0
unixsocket "{path}"
unixsocketperm 700
daemonize no
databases {16 if self._durable else 1024}
save ""
appendonly yes
appendfsync {"always" if self._durable else "no"}
aof-use-rdb-preamble yes
aof-load-truncated yes
maxmemory {_memory_limit()}
maxmemory-policy noeviction
enable-debug-command {"no" if self._durable else "local"}
include "local*.conf"
"""

    def _wait_until_ready(self, child: subprocess.Popen[bytes], path: Path) -> None:
        deadline = time.monotonic() + _LOADING_SECONDS
        while time.monotonic() < deadline:
            if child.poll() is not None:
                raise EmbeddedError(f"Valkey did not start. Its log {self.log} ends with:\n{tail(self.log)}")
            if _ping(path) == "+PONG":
                return
            time.sleep(POLL_SECONDS)
        raise EmbeddedError(f"Valkey is still loading after {_LOADING_SECONDS:.0f} s; see {self.log}.")

    def _reap(self) -> None:
        if self._child is not None:
            self._child.wait()
            self._child = None


def _memory_limit() -> int:
    """Bytes that the stream may take before the collector is told to wait: a share of this machine or container."""
    available = psutil.virtual_memory().total
    with contextlib.suppress(OSError, ValueError):
        available = min(available, int(Path("/sys/fs/cgroup/memory.max").read_text("utf-8")))
    return max(256_000_000, available // _MEMORY_SHARE)


def _ping(path: Path) -> str | None:
    """The server's first word to PING: ``+PONG``, ``-LOADING`` while it reads its log, None when nobody answers."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(64).decode("utf-8", "replace").split(" ")[0].strip()
        except OSError:
            return None
