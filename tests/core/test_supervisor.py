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
    with new_instance() as made:
        yield made


@pytest.fixture(scope="module")
def running() -> Iterator[Instance]:
    """An instance for the tests that leave it as they found it."""
    with new_instance(arguments=["--workers", "2"]) as made:
        made.start()
        yield made


def until(condition: Callable[[], bool], *, seconds: float = 30) -> None:
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
    return re.search(rf"{part} process.* works \(process \d+\)", instance.output(since)) is not None


def pids(instance: Instance, *parts: Part) -> set[int]:
    return {process.pid for part in parts or Part for process in instance.processes(part)}


def test_it_prints_credentials_at_the_first_start_and_never_again(instance: Instance) -> None:
    instance.start()
    assert instance.write_key.startswith("cn_write_")
    assert len(instance.password) >= 16
    assert instance.stop() == 0
    first = instance.log.stat().st_size
    instance.start()
    again = instance.output(first)
    assert "Dashboard" in again
    assert "Password" not in again
    assert "cn_write_" not in again


def test_the_secret_of_the_instance_is_made_once_and_private(instance: Instance) -> None:
    instance.start()
    secret = instance.data_dir / "secret_key"
    assert secret.stat().st_mode & 0o777 == 0o600
    before = secret.read_text()
    instance.stop()
    instance.start()
    assert secret.read_text() == before
    assert before not in instance.output()


def test_ctrl_c_stops_every_process_and_the_servers(instance: Instance) -> None:
    instance.start()
    assert pids(instance, Part.WORKER)
    assert instance.stop() == 0
    assert pids(instance) == set()
    assert "Traceback" not in instance.output()


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


def test_children_end_when_their_supervisor_is_killed_and_the_port_is_free_for_the_next(instance: Instance) -> None:
    instance.start()
    url = instance.url
    instance.kill(Part.SUPERVISOR)
    instance.start()
    assert instance.url == url
    assert healthy(instance)
    until(lambda: len(pids(instance, Part.WEB)) == 1 and len(pids(instance, Part.WORKER)) == 1)


def test_after_a_kill_of_everything_the_next_start_works(instance: Instance) -> None:
    instance.start()
    instance.kill()
    assert pids(instance) == set()
    instance.start()
    assert healthy(instance)
    assert instance.stop() == 0


def test_commands_join_the_servers_of_a_running_instance(running: Instance) -> None:
    servers = pids(running, Part.POSTGRES, Part.VALKEY)
    findings = running.json("doctor")
    assert isinstance(findings, list)
    by_subject = {finding["subject"]: finding for finding in findings}
    assert by_subject["serve"]["facts"]["url"] == running.url
    assert by_subject["embedded PostgreSQL"]["facts"]["pid"] in servers
    assert {finding["verdict"] for finding in findings if finding["subject"] != "plugins"} <= {"ok", "warning"}
    assert healthy(running)


def test_commands_start_the_servers_of_a_stopped_instance_and_stop_them_again(instance: Instance) -> None:
    instance.start()
    instance.stop()
    done = instance.command("doctor")
    assert done.returncode == 0, done.stdout
    assert "not running; it starts when it is needed" in done.stdout
    assert "schemas: " in done.stdout
    assert pids(instance) == set()


def test_doctor_says_what_is_wrong_and_what_to_do(instance: Instance) -> None:
    instance.start()
    instance.stop()
    (instance.data_dir / "postgres" / "PG_VERSION").write_text("17\n")
    done = instance.command("doctor")
    assert done.returncode == 1
    assert "made by PostgreSQL 17" in done.stdout
    assert "Traceback" not in done.stderr


def test_doctor_of_a_folder_that_does_not_exist_makes_none(instance: Instance) -> None:
    done = instance.command("doctor")
    assert done.returncode == 0
    assert "`chatnation serve` makes it" in done.stdout
    assert not instance.data_dir.exists()


def test_the_role_collect_has_no_worker_and_the_role_process_no_web(instance: Instance) -> None:
    instance.arguments = ["--role", "collect"]
    instance.start()
    assert pids(instance, Part.WEB)
    assert not pids(instance, Part.WORKER)
    instance.stop()
    with subprocess.Popen(
        instance.line("serve", "--role", "process"), env=instance.variables, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert any("Chatnation runs." in line for line in process.stdout)
        assert pids(instance, Part.WORKER)
        assert not pids(instance, Part.WEB)
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
    assert pids(instance) == set()


def test_a_worker_alone_stops_on_sigterm(instance: Instance) -> None:
    instance.start()
    instance.stop()
    with subprocess.Popen(
        instance.line("worker"), env=instance.variables, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert any("The worker runs." in line for line in process.stdout)
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
    assert pids(instance) == set()


def test_a_child_that_cannot_start_ends_the_supervisor_with_the_reason(instance: Instance, tmp_path: Path) -> None:
    broken = tmp_path / "hurry.py"
    broken.write_text(BROKEN_PLUGIN)
    instance.environment = {"CHATNATION_PLUGIN_PATHS": str(broken), "CHATNATION_STRICT": "1"}
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
    assert not instance.data_dir.exists()


async def test_the_schema_of_a_database_of_others_is_upgraded_on_request_only(
    instance: Instance, servers: SharedServers, empty_database: str
) -> None:
    instance.environment = {
        "CHATNATION_DATABASE_URL": empty_database,
        "CHATNATION_REDIS_URL": await servers.redis_database(),
        "CHATNATION_SECRET_KEY": "k" * 40,
    }
    done = instance.command("serve", "--port", "0")
    assert done.returncode == 1
    assert "run `chatnation db upgrade`" in done.stderr
    assert not os.path.lexists(instance.data_dir)
