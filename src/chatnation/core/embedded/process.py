"""Starts a server process that outlives us and holds a lock for as long as it or any child of it runs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from chatnation.core.embedded.account import Account, share_with_owner
from chatnation.core.embedded.errors import EmbeddedError
from chatnation.core.embedded.locks import FolderLock

POLL_SECONDS = 0.02
_LOG_LIMIT_BYTES = 5_000_000


def spawn(
    arguments: Sequence[str | Path], *, folder: Path, account: Account | None, lock: FolderLock, log: Path
) -> subprocess.Popen[bytes]:
    """Start a server in `folder`, as `account`, with `lock` handed over to it and its output appended to `log`.

    The working directory is entered before the account changes, so the server reaches `folder` even below parents
    that its account may not enter. It gets its own session: Ctrl-C in our terminal is not for it.
    """
    _rotate(log)
    with log.open("ab") as output:
        share_with_owner(log)
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(lock.descriptor,),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            umask=0o077,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        )
    lock.disown()
    return process


def set_adrift(process: subprocess.Popen[bytes]) -> None:
    """Forget a server that goes on without us; Popen would warn about it when it is collected."""
    if process.poll() is None:
        process.returncode = 0


def processes_in(folder: Path, name: str) -> Iterator[psutil.Process]:
    """The running processes called `name` whose working directory is `folder`."""
    for process in psutil.process_iter(["name"]):
        if process.info["name"] == name and runs_in(process, folder):
            yield process


def runs_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == folder
    except (psutil.Error, OSError):
        return False


def find(pid: int, folder: Path, name: str) -> psutil.Process | None:
    """Process `pid` if it is called `name` and runs in `folder`, so that a number used again is not mistaken for it."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.name() == name and runs_in(process, folder):
            return process
    return None


def terminate(lock: FolderLock, folder: Path, name: str, steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal to the server's processes in turn, waiting the given seconds for `lock` to become free.

    Only the first signal is sent to the main process alone, which asks its children itself. Leaves with `lock` held.
    Raises EmbeddedError when the lock is still held after the last step.
    """
    for number, (request, seconds) in enumerate(steps):
        found = list(processes_in(folder, name))
        if number == 0:
            pids = {process.pid for process in found}
            found = [process for process in found if process.ppid() not in pids]
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.send_signal(request)
        if wait_for_lock(lock, seconds):
            return
    raise EmbeddedError(
        f"{name} in {folder} does not stop, or runs where this process cannot see it (another container?). "
        "Stop it there, then try again."
    )


def wait_for_lock(lock: FolderLock, seconds: float) -> bool:
    """Take `lock` within so many seconds; True when it is ours."""
    deadline = time.monotonic() + seconds
    while not lock.try_take():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a server's log, for an error message."""
    try:
        return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".1.log"))
