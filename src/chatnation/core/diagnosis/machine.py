"""The machine: versions, the data folder, the space on its disk, and the servers that run in it."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import httpx

from chatnation.core.diagnosis.finding import Finding, failure, ok, size, warning
from chatnation.core.embedded import EmbeddedServers, EmbeddedStatus
from chatnation.core.embedded.status import ServerStatus
from chatnation.core.supervisor.claim import Claim, Serving

_LITTLE_SPACE = 2_000_000_000
_NO_SPACE = 300_000_000


def versions() -> Finding:
    ours, python, machine = version("chatnation"), platform.python_version(), platform.platform()
    return ok("versions", f"chatnation {ours}, Python {python}, {machine}", chatnation=ours, python=python)


def data_folder(data_dir: Path) -> Iterator[Finding]:
    """The folder, if it is there, and the space that is left beside it."""
    folder = data_dir.resolve()
    if not folder.exists():
        yield warning("data folder", f"{folder} does not exist yet", "`chatnation serve` makes it.", path=str(folder))
        return
    if not folder.is_dir():
        yield failure("data folder", f"{folder} is no folder", "Set CHATNATION_DATA_DIR to one.", path=str(folder))
        return
    opened_to = folder.stat().st_mode & 0o077
    if opened_to:
        yield warning(
            "data folder", f"other accounts may look into {folder}", f"chmod 700 '{folder}'", path=str(folder)
        )
    else:
        yield ok("data folder", str(folder), path=str(folder))
    yield _space(folder)


def embedded_servers(data_dir: Path) -> Iterator[Finding]:
    """Where the embedded servers run now."""
    status: EmbeddedStatus = EmbeddedServers(data_dir).status()
    for server in (status.postgres, status.valkey):
        yield _server(server, in_use=status.shared)


async def supervisor(data_dir: Path) -> Finding:
    """The `chatnation serve` of the folder, and whether it answers."""
    serving = Claim(data_dir).current()
    if serving is None:
        return ok("serve", "not running", running=False)
    facts: dict[str, object] = {"running": True, "pid": serving.pid, "url": serving.url, "role": serving.role}
    if serving.url is None and serving.role != "process":
        return ok("serve", f"process {serving.pid} is starting", **facts)
    if serving.url is None:
        return ok("serve", f"process {serving.pid}, role {serving.role}, no web address", **facts)
    return await _answers(serving, facts)


async def _answers(serving: Serving, facts: dict[str, object]) -> Finding:
    where = f"process {serving.pid} at {serving.url}"
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.get(f"{serving.url}/-/health")
            report = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        reason = str(error) or type(error).__name__
        return failure("serve", f"{where} does not answer: {reason}", "Read its log; restart it.", **facts)
    unwell = [f"{name}: {each['detail']}" for name, each in report["plugins"].items() if not each["ok"]]
    unwell += [f"{name}: {report[name]['detail']}" for name in ("database", "stream") if not report[name]["ok"]]
    facts["health"] = report
    if report["status"] == "ok":
        return ok("serve", f"{where} is well", **facts)
    verdict = failure if report["status"] == "down" else warning
    return verdict("serve", f"{where} is {report['status']}: {'; '.join(unwell)}", "See the findings below.", **facts)


def _server(server: ServerStatus, *, in_use: bool) -> Finding:
    facts = {"running": server.running, "pid": server.pid, "version": server.version, "log": str(server.log)}
    subject = f"embedded {server.name}"
    if server.running:
        where = f"version {server.version}, process {server.pid}, socket {server.socket}"
        return ok(subject, where, **facts, socket=str(server.socket))
    if in_use:
        return failure(subject, "does not run although the folder is in use", f"Read {server.log}.", **facts)
    return ok(subject, "not running; it starts when it is needed", **facts)


def _space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    facts = {"free_bytes": free}
    if free < _NO_SPACE:
        return failure("disk space", f"{size(free)} free", "Make room: on a full disk PostgreSQL stops.", **facts)
    if free < _LITTLE_SPACE:
        return warning("disk space", f"{size(free)} free", "Make room, or shorten the retention of events.", **facts)
    return ok("disk space", f"{size(free)} free", **facts)
