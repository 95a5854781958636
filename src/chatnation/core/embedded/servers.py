"""Both servers of one data folder, shared by every process that uses the folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from chatnation.core.embedded.errors import EmbeddedError
from chatnation.core.embedded.locks import FolderLock
from chatnation.core.embedded.postgres import SUPERUSER, Postgres, database_url
from chatnation.core.embedded.sockets import SocketFolder
from chatnation.core.embedded.status import EmbeddedStatus
from chatnation.core.embedded.valkey import Valkey


@dataclass(frozen=True, slots=True)
class ServerUrls:
    """Where the servers are reached.

    `database_url` is for SQLAlchemy with asyncpg and logs in as the role that owns the schemas, which is no superuser.
    `superuser_url` is for tests and repairs.
    """

    database_url: str
    redis_url: str
    superuser_url: str


class EmbeddedServers:
    """PostgreSQL and Valkey below `data_dir`, started by its first user and stopped by its last.

    Any number of processes may use a folder at the same time. `durable=False` trades safety against a crash of the
    machine for speed, for tests; a crash of processes is survived either way. With `temporary`, the last user removes
    the folder.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True, temporary: bool = False) -> None:
        self.data_dir = data_dir.expanduser().resolve()
        self._temporary = temporary
        self._starting = FolderLock(self.data_dir / "start.lock")
        self._using = FolderLock(self.data_dir / "users.lock")
        self._sockets = SocketFolder(self.data_dir)
        self._postgres = Postgres(self.data_dir, self._sockets, durable=durable)
        self._valkey = Valkey(self.data_dir, self._sockets, durable=durable)

    def start(self) -> ServerUrls:
        """Join the servers of the folder, or start what does not run; may be called again after one was killed.

        Raises EmbeddedError with a sentence for the operator. A user of the folder stays one then, and may try again.
        """
        while True:
            self._make_folder()
            try:
                with self._starting:
                    newcomer = not self._using.held
                    if newcomer:
                        self._using.share()
                    try:
                        sockets = self._postgres.ensure_running()
                        valkey_socket = self._valkey.ensure_running()
                    except BaseException:
                        if newcomer:
                            self._leave()
                        raise
            except FileNotFoundError:
                if self.data_dir.exists():
                    raise
                continue  # The last user of a temporary folder removed it this moment.
            return ServerUrls(
                database_url=database_url(sockets),
                redis_url=f"unix://{valkey_socket}?db=0",
                superuser_url=database_url(sockets, user=SUPERUSER, database="postgres"),
            )

    def stop(self) -> bool:
        """Leave; the servers stop if nobody else uses the folder. True when they did."""
        if not self._using.held:
            return False
        with self._starting:
            return self._leave()

    def remove_abandoned(self) -> None:
        """Stop what killed users of a temporary folder left behind, and remove it. Does nothing while it is used."""
        if self._starting.try_take():
            try:
                self._leave()
            finally:
                self._starting.release()

    def alive(self) -> bool:
        """Whether both servers run; costs next to nothing. `start` brings back the one that does not."""
        return self._postgres.alive() and self._valkey.alive()

    def status(self) -> EmbeddedStatus:
        """What runs where. Needs no start and changes nothing."""
        return EmbeddedStatus(self.data_dir, self._in_use(), self._postgres.status(), self._valkey.status())

    def __enter__(self) -> ServerUrls:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _in_use(self) -> bool:
        if self._using.held:
            return True
        if not self.data_dir.exists():
            return False
        # Whoever holds the start lock is joining or leaving; without it, our look would be taken for another user.
        if not self._starting.try_take():
            return True
        try:
            if self._using.try_take():
                self._using.release()
                return False
            return True
        finally:
            self._starting.release()

    def _make_folder(self) -> None:
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise EmbeddedError(f"The data folder {self.data_dir} is a file, or lies below one.") from error
        except PermissionError as error:
            raise EmbeddedError(
                f"The data folder {self.data_dir} cannot be made: {error.strerror}. Set CHATNATION_DATA_DIR."
            ) from error

    def _leave(self) -> bool:
        """Give up our share; the start lock is held, so nobody joins meanwhile."""
        self._using.release()
        if not self._using.try_take():
            self._postgres.leave_running()
            self._valkey.leave_running()
            return False
        try:
            self._valkey.stop()
            self._postgres.stop()
            self._sockets.remove()
            if self._temporary:
                shutil.rmtree(self.data_dir)
        finally:
            self._using.release()
        return True
