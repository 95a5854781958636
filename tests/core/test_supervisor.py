"""`chatnation serve` as an operator sees it: what it prints, refuses, restarts and leaves behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chatnation.testing.instances import Instance, Part, new_instance
from chatnation.testing.servers import SharedServers

BROKEN_PLUGIN = "raise RuntimeError('this plugin was written in a hurry')\n"


@pytest.fixture
def instance() -> Iterator[Instance]:
    """An instance that has never been started."""
    with new_instance() as made:
        yield made


@pytest.fixture(scope="module")
def rested() -> Iterator[Instance]:
    """An instance that was started once and stopped. Each test leaves it stopped."""
    with new_instance(environment={"CHATNATION_PROCESSORS": "1"}) as made:
        made.start()
        assert made.stop() == 0
        yield made


@pytest.fixture(scope="module")
def running() -> Iterator[Instance]:
    """An instance for the tests that leave it as they found it."""
    with new_instance(arguments=["--workers", "2", "--processors", "2"]) as made:
        made.start()
        yield made


def until(condition: Callable[[], bool], *, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def healthy(instance: Instance) -> bool:
    try:
        report: dict[str, Any] = httpx.get(f"{instance.url}/-/health", timeout=5).json()
    except (httpx.HTTPError, ValueError):
        return False
    return bool(report["database"]["ok"] and report["stream"]["ok"])


def works_again(instance: Instance, part: Part, *, since: int) -> bool:
    """Whether a process of the part said so, after so many characters of the output."""
    return re.search(rf"{part} process.* works again \(process \d+\)", instance.output(since)) is not None


def pids(instance: Instance, *parts: Part) -> set[int]:
    return {process.pid for part in parts or Part for process in instance.processes(part)}


def test_the_first_start_makes_credentials_and_a_secret_and_ctrl_c_leaves_no_process(rested: Instance) -> None:
    assert rested.write_key.startswith("cn_write_")
    assert len(rested.password) >= 16
    secret = rested.data_dir / "secret_key"
    assert secret.stat().st_mode & 0o777 == 0o600
    kept = secret.read_text()
    assert pids(rested) == set()
    first = rested.log.stat().st_size

    rested.start()
    again = rested.output(first)
    assert "Dashboard" in again
    assert "Password" not in again
    assert "cn_write_" not in again
    assert secret.read_text() == kept
    assert rested.stop() == 0
    assert kept not in rested.output()
    assert "Traceback" not in rested.output()


def test_a_second_serve_on_the_folder_names_the_first(running: Instance) -> None:
    second = running.command("serve", "--port", "0")
    assert second.returncode == 1
    [supervisor] = pids(running, Part.SUPERVISOR)
    assert f"already runs on {running.data_dir}: process {supervisor} at {running.url}" in second.stderr
    assert healthy(running)


def test_every_web_process_answers_on_the_one_port(running: Instance) -> None:
    assert len(pids(running, Part.WEB)) == 2
    assert healthy(running)


def test_a_port_that_is_taken_is_refused_in_a_sentence(instance: Instance) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = instance.command("serve", "--port", str(port))
    assert done.returncode == 1
    assert f"Port {port} of 127.0.0.1 is taken by another program" in done.stderr
    assert "Traceback" not in done.stderr
    assert pids(instance) == set()


@pytest.mark.parametrize("part", [Part.WEB, Part.WORKER])
def test_a_child_that_is_killed_is_started_again(running: Instance, part: Part) -> None:
    seen = len(running.output())
    victim = running.processes(part)[0]
    victim.kill()
    until(lambda: works_again(running, part, since=seen))
    assert victim.pid not in pids(running, part)
    assert healthy(running)


@pytest.mark.parametrize("part", [Part.POSTGRES, Part.VALKEY])
def test_a_server_that_is_killed_is_started_again_and_the_children_find_it(running: Instance, part: Part) -> None:
    children = pids(running, Part.WEB, Part.WORKER)
    dead = {process.pid for process in running.kill(part)}
    until(lambda: bool(pids(running, part)) and healthy(running))
    assert pids(running, part).isdisjoint(dead)
    assert pids(running, Part.WEB, Part.WORKER) == children


def test_an_instance_comes_back_whatever_was_killed(rested: Instance) -> None:
    rested.start()
    url = rested.url
    # Its children end by themselves, and the port is free for the next.
    rested.kill(Part.SUPERVISOR)
    rested.start()
    assert rested.url == url
    assert healthy(rested)
    until(lambda: len(pids(rested, Part.WEB)) == 1 and len(pids(rested, Part.WORKER)) == 1)

    rested.kill()
    assert pids(rested) == set()
    rested.start()
    assert healthy(rested)
    assert rested.stop() == 0
    assert pids(rested) == set()


def test_commands_join_the_servers_of_a_running_instance(running: Instance) -> None:
    servers = pids(running, Part.POSTGRES, Part.VALKEY)
    findings = running.json("doctor")
    assert isinstance(findings, list)
    by_subject = {finding["subject"]: finding for finding in findings}
    assert by_subject["serve"]["facts"]["url"] == running.url
    assert by_subject["embedded PostgreSQL"]["facts"]["pid"] in servers
    assert by_subject["row-level security"]["verdict"] == "ok"
    assert {finding["verdict"] for finding in findings if finding["subject"] != "plugins"} <= {"ok", "warning"}
    assert healthy(running)


def test_doctor_starts_the_servers_of_a_stopped_instance_and_says_what_keeps_them_from_it(rested: Instance) -> None:
    done = rested.command("doctor")
    assert done.returncode == 0, done.stdout
    assert "not running; it starts when it is needed" in done.stdout
    assert "schemas: " in done.stdout
    assert pids(rested) == set()

    version = rested.data_dir / "postgres" / "PG_VERSION"
    right = version.read_text()
    version.write_text("17\n")
    done = rested.command("doctor")
    version.write_text(right)
    assert done.returncode == 1
    assert "made by PostgreSQL 17" in done.stdout
    assert "Traceback" not in done.stderr


def test_doctor_of_a_folder_that_does_not_exist_makes_none(instance: Instance) -> None:
    done = instance.command("doctor")
    assert done.returncode == 0
    assert "`chatnation serve` makes it" in done.stdout
    assert not instance.data_dir.exists()


def test_each_role_runs_its_own_processes_only(rested: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rested, "arguments", ["--role", "collect"])
    rested.start()
    assert pids(rested, Part.WEB)
    assert not pids(rested, Part.WORKER)
    assert rested.stop() == 0

    for line, says in (
        (rested.line("serve", "--role", "process"), "Chatnation runs."),
        (rested.line("worker"), "The worker runs."),
    ):
        with subprocess.Popen(line, env=rested.variables, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert any(says in printed for printed in process.stdout)
            assert not pids(rested, Part.WEB)
            process.send_signal(signal.SIGTERM)
        assert process.returncode == 0
        assert pids(rested) == set()


def test_a_child_that_cannot_start_ends_the_supervisor_with_the_reason(instance: Instance, tmp_path: Path) -> None:
    broken = tmp_path / "hurry.py"
    broken.write_text(BROKEN_PLUGIN)
    instance.environment |= {"CHATNATION_PLUGIN_PATHS": str(broken), "CHATNATION_STRICT": "1"}
    with pytest.raises(RuntimeError) as failure:
        instance.start()
    assert "this plugin was written in a hurry" in str(failure.value)
    assert pids(instance) == set()


def test_servers_of_others_need_a_secret_that_the_operator_chose(instance: Instance, servers: SharedServers) -> None:
    instance.environment = {
        "CHATNATION_DATABASE_URL": servers.admin_url,
        "CHATNATION_REDIS_URL": servers.redis_url,
    }
    done = instance.command("serve", "--port", "0")
    assert done.returncode == 1
    assert "CHATNATION_SECRET_KEY is not set" in done.stderr
    instance.environment["CHATNATION_SECRET_KEY"] = "k" * 40
    done = instance.command("serve", "--port", "0")
    assert done.returncode == 1
    assert "CHATNATION_ENCRYPTION_KEYS is not set" in done.stderr
    assert "token_hex(32)" in done.stderr
    assert not instance.data_dir.exists()


async def test_the_schema_of_a_database_of_others_is_upgraded_on_request_only(
    instance: Instance, servers: SharedServers, empty_database: str
) -> None:
    instance.environment = {
        "CHATNATION_DATABASE_URL": empty_database,
        "CHATNATION_REDIS_URL": await servers.redis_database(),
        "CHATNATION_SECRET_KEY": "k" * 40,
        "CHATNATION_ENCRYPTION_KEYS": "01" * 32,
    }
    done = instance.command("serve", "--port", "0")
    assert done.returncode == 1
    assert "run `chatnation db upgrade`" in done.stderr
    assert not os.path.lexists(instance.data_dir)
