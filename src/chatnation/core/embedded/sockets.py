"""A short, private folder for the servers' sockets.

The path of a Unix socket may have 107 bytes at most, and a data folder's path is as long as its owner likes, so the
sockets live in a folder of their own below the temporary folder. Its path is kept in the data folder, and it names the
data folder it belongs to, so a copied data folder never leads to the servers of the original.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from chatnation.core.embedded.account import Account, share_with_owner
from chatnation.core.embedded.errors import EmbeddedError

_PREFIX = "chatnation-"
_OWNER_FILE = "owner"
_LONGEST_SOCKET_NAME = len("/.s.PGSQL.5432")
_SOCKET_PATH_LIMIT = 103  # macOS; Linux allows 107.


class SocketFolder:
    """The socket folder of one data folder; `record` is the file that holds its path."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.record = data_dir / "sockets.txt"

    def recorded(self) -> Path | None:
        """The folder in use, if it still exists, is private and belongs to this data folder."""
        with contextlib.suppress(OSError):
            folder = Path(self.record.read_text("utf-8"))
            status = folder.lstat()
            private = stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o700
            if private and (folder / _OWNER_FILE).read_text("utf-8") == str(self.data_dir):
                return folder
        return None

    def provide(self, account: Account | None) -> Path:
        """The folder in use, or a new one that `account` owns."""
        folder = self.recorded()
        if folder is None or folder.stat().st_uid != (account.uid if account else os.geteuid()):
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_short_temporary_folder()))
            (folder / _OWNER_FILE).write_text(str(self.data_dir), "utf-8")
            if account:
                os.chown(folder, account.uid, account.gid)
            self.record.write_text(str(folder), "utf-8")
            share_with_owner(self.record)
        return folder

    def remove(self) -> None:
        """Remove the folder once no server uses it."""
        folder = self.recorded()
        if folder is not None:
            for entry in folder.iterdir():
                entry.unlink()
            folder.rmdir()
        self.record.unlink(missing_ok=True)


def _short_temporary_folder() -> str:
    for candidate in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        length = len(os.fsencode(candidate)) + len(f"/{_PREFIX}12345678") + _LONGEST_SOCKET_NAME
        if length <= _SOCKET_PATH_LIMIT and os.access(candidate, os.W_OK | os.X_OK):
            return candidate
    raise EmbeddedError(
        "There is no writable folder with a short enough path for the servers' sockets. Set TMPDIR to one."
    )
