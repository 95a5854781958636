"""Packages of plugins, built into wheels and tested from there as a stranger would test them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from chatnation.testing.servers import SharedServers


def install(source: Path, target: Path) -> None:
    """Build the wheel of the package at `source` and install it, and nothing else, into the folder `target`."""
    command = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    options = ["--disable-pip-version-check", "--root-user-action=ignore", "--no-cache-dir"]
    _run([*command, *options, "--target", str(target), str(source)], cwd=source, environment={})


def run_tests(source: Path, target: Path, servers: SharedServers) -> str:
    """Run the tests of the package at `source` against what was installed into `target`; gives what pytest printed."""
    environment = {
        "PYTHONPATH": _path(target),
        "CHATNATION_TEST_DATABASE_URL": servers.admin_url,
        "CHATNATION_TEST_REDIS_URL": servers.redis_url,
    }
    return _run(["-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=source, environment=environment)


def chatnation(target: Path, *arguments: str, environment: dict[str, str] | None = None) -> str:
    """Run the command line with the packages in `target` installed; gives what it printed."""
    return _run(
        ["-m", "chatnation.core.cli", *arguments],
        cwd=target,
        environment={"PYTHONPATH": _path(target), **(environment or {})},
    )


def _path(target: Path) -> str:
    return os.pathsep.join([str(target), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)


def _run(arguments: list[str], *, cwd: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(arguments)} failed\n{done.stdout}\n{done.stderr}"
    return done.stdout
