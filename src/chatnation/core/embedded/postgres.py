"""The PostgreSQL server of one data folder."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from chatnation.core.embedded.account import Account, account_for, give, reachable
from chatnation.core.embedded.binaries import PostgresPrograms, postgres_programs
from chatnation.core.embedded.errors import EmbeddedError
from chatnation.core.embedded.locks import FolderLock
from chatnation.core.embedded.process import POLL_SECONDS, find, set_adrift, spawn, tail, terminate
from chatnation.core.embedded.sockets import SocketFolder
from chatnation.core.embedded.status import ServerStatus

ROLE = DATABASE = "chatnation"
TENANT_ROLE = f"{ROLE}_tenant"
SUPERUSER = "postgres"
_PORT = 5432  # Names the socket file; there is no TCP port.
_PROGRAM = "postgres"
_RECOVERY_SECONDS = 600.0
_SILENT_SECONDS = 2.0
_STOPPING = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
_DEAD_POSTMASTER = ((signal.SIGQUIT, 5.0), (signal.SIGKILL, 10.0))

# Sized for a machine of 2 GB that also runs the product. An operator's own lines go to local.conf beside this file.
_SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "'128MB'",
    "work_mem": "'8MB'",
    "maintenance_work_mem": "'64MB'",
    "effective_cache_size": "'768MB'",
    "huge_pages": "off",
    # Containers often have 64 MB of /dev/shm; parallel queries use this reserve first.
    "min_dynamic_shared_memory": "'32MB'",
    "jit": "off",
    "random_page_cost": "1.1",
    "wal_compression": "on",
    "max_wal_size": "'1GB'",
    "checkpoint_timeout": "'10min'",
    "autovacuum_naptime": "'30s'",
    "max_wal_senders": "2",
    "max_worker_processes": "6",
    "max_parallel_workers": "2",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_checkpoints": "off",
    "log_line_prefix": "'%m [%p] '",
    "log_error_verbosity": "terse",
}
# Without flushes a crash of the machine may lose or damage data; a crash of processes may not.
_FAST_SETTINGS = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off", "max_connections": "300"}

_OWNERSHIP = f"""
SELECT 'CREATE ROLE {ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') \\gexec
SELECT 'CREATE ROLE {TENANT_ROLE} NOLOGIN'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{TENANT_ROLE}') \\gexec
SELECT 'GRANT {TENANT_ROLE} TO {ROLE}'
 WHERE NOT pg_has_role('{ROLE}', '{TENANT_ROLE}', 'MEMBER') \\gexec
SELECT 'CREATE DATABASE {DATABASE} OWNER {ROLE}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
"""


@dataclass(frozen=True, slots=True)
class _Postmaster:
    """What ``postmaster.pid`` says: a process id, the socket folder, and whether connections are accepted."""

    pid: int
    sockets: Path
    ready: bool


class Postgres:
    """Starts, finds again and stops PostgreSQL in ``<data_dir>/postgres``.

    Callers hold the data folder's start lock, so no two of them are in here at the same time.
    """

    def __init__(self, data_dir: Path, sockets: SocketFolder, *, durable: bool) -> None:
        self.folder = data_dir / "postgres"
        self.log = data_dir / "postgres.log"
        self._lock = FolderLock(data_dir / "postgres.lock")
        self._sockets = sockets
        self._durable = durable
        self._child: subprocess.Popen[bytes] | None = None

    def ensure_running(self) -> Path:
        """Join the running server or start one, recovering after a crash; gives its socket folder."""
        started = time.monotonic()
        while not self._lock.try_take():
            postmaster = self._read_postmaster()
            if postmaster is None:
                # Its main process was killed and the others have not noticed yet.
                terminate(self._lock, self.folder, _PROGRAM, _DEAD_POSTMASTER)
                break
            if postmaster.ready and _accepts(postmaster.sockets):
                return postmaster.sockets
            if time.monotonic() - started > (_SILENT_SECONDS if postmaster.ready else _RECOVERY_SECONDS):
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
        """Whether its main process runs."""
        return self._is_running() and self._read_postmaster() is not None

    def status(self) -> ServerStatus:
        running = self._is_running()
        postmaster = self._read_postmaster() if running else None
        return ServerStatus(
            name="PostgreSQL",
            running=postmaster is not None,
            pid=postmaster.pid if postmaster else None,
            version=postgres_programs(None).version if postmaster else None,
            socket=_socket_file(postmaster.sockets) if postmaster else None,
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

    def _read_postmaster(self) -> _Postmaster | None:
        try:
            lines = (self.folder / "postmaster.pid").read_text("utf-8").splitlines()
            pid = int(lines[0])
        except (OSError, ValueError, IndexError):
            return None
        if find(pid, self.folder, _PROGRAM) is None:
            return None
        ready = len(lines) > 7 and lines[7].strip() == "ready"
        return _Postmaster(pid, Path(lines[4]) if len(lines) > 4 else Path(), ready)

    def _start(self) -> Path:
        self._reap()
        account = account_for(self.folder)
        programs = postgres_programs(account)
        self._create_cluster(account, programs)
        self._check_version(programs)
        self._write_settings(account)
        give(self.folder, account)
        sockets = self._sockets.provide(account)
        # The lock proved that nobody runs here, so what a killed server left says nothing, whoever has its pid now.
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        for name in (f".s.PGSQL.{_PORT}", f".s.PGSQL.{_PORT}.lock"):
            (sockets / name).unlink(missing_ok=True)
        self._child = spawn(
            (programs.folder / _PROGRAM, "-D", reachable(self.folder, account), "-k", sockets, "-p", str(_PORT)),
            folder=self.folder,
            account=account,
            lock=self._lock,
            log=self.log,
        )
        self._wait_until_ready(self._child)
        self._run_sql(programs, sockets, _OWNERSHIP)
        return sockets

    def _create_cluster(self, account: Account | None, programs: PostgresPrograms) -> None:
        """Make the cluster under another name first, so that a killed initdb leaves nothing that looks finished."""
        if (self.folder / "PG_VERSION").exists():
            return
        draft = self.folder.with_name("postgres.new")
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(mode=0o700)
        give(draft, account)
        made = subprocess.run(
            [
                programs.folder / "initdb",
                f"--pgdata={reachable(draft, account)}",
                f"--username={SUPERUSER}",
                "--encoding=UTF8",
                # Sorts the same on every machine and after every upgrade of its C library.
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--auth=trust",
                *([] if self._durable else ["--no-sync"]),
            ],
            cwd=draft,
            capture_output=True,
            text=True,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        )
        if made.returncode != 0:
            raise EmbeddedError(f"PostgreSQL could not make its data folder {draft}:\n{made.stdout}{made.stderr}")
        if self.folder.exists():
            self.folder.rmdir()
        draft.rename(self.folder)

    def _check_version(self, programs: PostgresPrograms) -> None:
        made_by = (self.folder / "PG_VERSION").read_text("utf-8").strip()
        if made_by != programs.major:
            raise EmbeddedError(
                f"{self.folder} was made by PostgreSQL {made_by}, and this installation brings PostgreSQL "
                f"{programs.major}. Dump the data with the release that made it and load it into a new data folder, or "
                "install that release again."
            )

    def _write_settings(self, account: Account | None) -> None:
        settings = _SETTINGS if self._durable else _SETTINGS | _FAST_SETTINGS
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        files = {
            "chatnation.conf": f"# Written at every start; put your own lines into local.conf.\n{lines}",
            "postgresql.conf": "include 'chatnation.conf'\ninclude_if_exists 'local.conf'\n",
            # Only the account that owns the socket folder, and root, reach the socket at all.
            "pg_hba.conf": "local all all trust\n",
        }
        for name, text in files.items():
            path = self.folder / name
            path.write_text(text, "utf-8")
            if account:
                os.chown(path, account.uid, account.gid)

    def _wait_until_ready(self, child: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _RECOVERY_SECONDS
        while time.monotonic() < deadline:
            if child.poll() is not None:
                raise EmbeddedError(f"PostgreSQL did not start. Its log {self.log} ends with:\n{tail(self.log)}")
            postmaster = self._read_postmaster()
            if postmaster is not None and postmaster.ready:
                return
            time.sleep(POLL_SECONDS)
        raise EmbeddedError(f"PostgreSQL is still recovering after {_RECOVERY_SECONDS:.0f} s; see {self.log}.")

    def _run_sql(self, programs: PostgresPrograms, sockets: Path, script: str) -> None:
        done = subprocess.run(
            [
                programs.folder / "psql",
                *("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"),
                *(f"--host={sockets}", f"--port={_PORT}", f"--username={SUPERUSER}", "--dbname=postgres"),
            ],
            input=script,
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": os.defpath, "LC_ALL": "C"},
        )
        if done.returncode != 0:
            raise EmbeddedError(f"PostgreSQL refused to make the role and database {ROLE}: {done.stderr}")

    def _reap(self) -> None:
        if self._child is not None:
            self._child.wait()
            self._child = None


def database_url(sockets: Path, *, user: str = ROLE, database: str = DATABASE) -> str:
    """The address of a database behind `sockets`, for SQLAlchemy with asyncpg."""
    return f"postgresql+asyncpg://{user}@/{database}?host={sockets}&port={_PORT}"


def _socket_file(sockets: Path) -> Path:
    return sockets / f".s.PGSQL.{_PORT}"


def _accepts(sockets: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(_socket_file(sockets)))
        except OSError:
            return False
    return True
