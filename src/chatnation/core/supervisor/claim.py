"""One `chatnation serve` a data folder, and how others find it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from chatnation.core.embedded.locks import FolderLock
from chatnation.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Serving:
    """The supervisor that runs on a data folder. `url` is None while it starts, and for roles that answer no HTTP."""

    pid: int
    role: str
    url: str | None


class Claim:
    """The claim of a `serve` to its data folder; it ends with the process, however that ends."""

    def __init__(self, data_dir: Path) -> None:
        folder = data_dir.resolve()
        self._lock = FolderLock(folder / "serve.lock")
        self._file = folder / "serve.json"

    @contextmanager
    def held(self, role: str) -> Iterator[None]:
        """Hold the folder. Raises ConfigurationError that names the holder when there is one."""
        self._lock.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._lock.try_take():
            raise ConfigurationError(_taken(self._lock.path.parent, self.read()))
        try:
            self.publish(Serving(os.getpid(), role, None))
            yield
        finally:
            self._file.unlink(missing_ok=True)
            self._lock.release()

    def publish(self, serving: Serving) -> None:
        draft = self._file.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(serving)), "utf-8")
        draft.replace(self._file)

    def current(self) -> Serving | None:
        """The supervisor that runs now, if any."""
        if not self._lock.path.exists():
            return None
        if self._lock.try_take():
            self._lock.release()
            return None
        return self.read()

    def read(self) -> Serving | None:
        """What the holder published; None in the moment before it has."""
        try:
            return Serving(**json.loads(self._file.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def _taken(folder: Path, serving: Serving | None) -> str:
    who = f"process {serving.pid}" if serving else "another process"
    where = f" at {serving.url}" if serving and serving.url else ""
    return (
        f"`chatnation serve` already runs on {folder}: {who}{where}. "
        "Stop it first, or give this one a folder of its own with CHATNATION_DATA_DIR."
    )
