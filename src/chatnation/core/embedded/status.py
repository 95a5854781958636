"""What the embedded servers look like from outside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """One embedded server. `pid`, `version` and `socket` are None while it does not run."""

    name: str
    running: bool
    pid: int | None
    version: str | None
    socket: Path | None
    folder: Path
    log: Path


@dataclass(frozen=True, slots=True)
class EmbeddedStatus:
    """Both servers of one data folder. `shared` tells whether some process uses them now."""

    data_dir: Path
    shared: bool
    postgres: ServerStatus
    valkey: ServerStatus
