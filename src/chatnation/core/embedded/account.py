"""Which system account the servers run as. PostgreSQL refuses to run as root, so root lends them another one."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from chatnation.core.embedded.errors import EmbeddedError

NAME = "chatnation"


@dataclass(frozen=True, slots=True)
class Account:
    """A system account, by number, because the number outlives the container that gave it a name."""

    name: str
    uid: int
    gid: int


def account_for(folder: Path) -> Account | None:
    """The account that runs the server of `folder` (which may not exist yet), or None for our own.

    Root keeps the owner of a folder, or of the data folder it will be made in, so that `sudo chatnation` and the owner
    can take turns; below root's own folders it is the account `chatnation`, which is made when it is missing.

    Raises EmbeddedError when the folder belongs to somebody else and we are not root.
    """
    existing = folder if folder.exists() else folder.parent
    owner = existing.stat().st_uid
    if os.geteuid() != 0:
        if owner != os.geteuid():
            raise EmbeddedError(
                f"{existing} belongs to the system account {_name(owner)}. Run chatnation as that account, or set "
                "CHATNATION_DATA_DIR to a folder of your own."
            )
        return None
    if owner != 0:
        return Account(_name(owner), owner, existing.stat().st_gid)
    return _dedicated()


def give(folder: Path, account: Account | None) -> None:
    """Make `account` own `folder` and everything in it. Does nothing for our own account."""
    if account is None or folder.stat().st_uid == account.uid:
        return
    for parent, _, files in os.walk(folder):
        os.chown(parent, account.uid, account.gid)
        for name in files:
            os.chown(Path(parent, name), account.uid, account.gid, follow_symlinks=False)


def reachable(folder: Path, account: Account | None) -> Path:
    """A path of `folder` for a server that was started inside it.

    An account that may not enter the parents still reaches its own working directory, and Linux gives that a path.
    """
    own_directory = Path("/proc/self/cwd")
    return own_directory if account and own_directory.exists() else folder


def share_with_owner(path: Path) -> None:
    """Let the owner of the folder that holds `path` have it too, if we are root and made it."""
    if os.geteuid() == 0:
        parent = path.parent.stat()
        os.chown(path, parent.st_uid, parent.st_gid)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _dedicated() -> Account:
    found = _find(NAME) or _create(NAME) or _find("nobody")
    if found is None:
        raise EmbeddedError(
            "PostgreSQL refuses to run as root, and there is no other system account to run it. "
            f"Make one (useradd --system {NAME}), or run chatnation as an ordinary user."
        )
    return found


def _find(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _create(name: str) -> Account | None:
    useradd = shutil.which("useradd")
    if useradd is None:
        return None
    # Two first starts may race for the name; whoever loses finds it made.
    subprocess.run(
        [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name],
        capture_output=True,
        check=False,
    )
    return _find(name)
