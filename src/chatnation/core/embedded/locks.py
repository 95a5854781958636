"""File locks that say who uses a data folder, and which server runs in it.

They are ``flock`` locks: the kernel drops them when the last holder dies, however it dies, so nothing is ever stale
and no process id has to be believed.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from chatnation.core.embedded.account import share_with_owner


class FolderLock:
    """A lock on one file, shared by many or exclusive to one.

    The descriptor can be handed to a child process (`descriptor`, then `disown`): the lock then lives exactly as
    long as the child and whatever it forks.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    @property
    def descriptor(self) -> int:
        if self._descriptor is None:
            raise RuntimeError(f"{self.path} is not locked")
        return self._descriptor

    def share(self) -> None:
        """Take the lock together with everybody else who shares it; waits for an exclusive holder."""
        self._acquire(fcntl.LOCK_SH)

    def take(self) -> None:
        """Take the lock alone; waits for every other holder."""
        self._acquire(fcntl.LOCK_EX)

    def try_take(self) -> bool:
        """Take the lock alone if that needs no waiting; True when it is ours."""
        try:
            self._acquire(fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    disown = release
    """Close our descriptor. A child that inherited it keeps the lock."""

    def _acquire(self, operation: int) -> None:
        if self.held:
            raise RuntimeError(f"{self.path} is already locked here")
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                share_with_owner(self.path)
                fcntl.flock(descriptor, operation)
                if self._still_there(descriptor):
                    self._descriptor = descriptor
                    return
            except BaseException:
                os.close(descriptor)
                raise
            # The file was removed while we waited, so what we locked is not what the next one will find.
            os.close(descriptor)

    def _still_there(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except FileNotFoundError:
            return False

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
