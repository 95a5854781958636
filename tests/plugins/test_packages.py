"""Plugins of others: from the command that starts one to the wheel that is installed, used and removed."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner

from chatnation.core.cli import main
from chatnation.testing.servers import SharedServers, plain_url
from tests.plugins.packages import chatnation, install, run_tests

CONTRIB = sorted(path.parent for path in (Path(__file__).parents[2] / "plugins-contrib").glob("*/pyproject.toml"))


@pytest.mark.parametrize("options", [[], ["--tables"]], ids=["plain", "with tables"])
def test_a_new_plugin_installs_and_passes_its_own_tests_and_the_compliance_suite(
    tmp_path: Path, servers: SharedServers, options: list[str]
) -> None:
    made = CliRunner().invoke(main, ["plugins", "new", "parcel_counts", "--directory", str(tmp_path), *options])
    assert made.exit_code == 0, made.output
    package = tmp_path / "chatnation-parcel-counts"
    install(package, tmp_path / "installed")
    shutil.rmtree(package / "src")
    printed = run_tests(package, tmp_path / "installed", servers)
    assert int(re.search(r"(\d+) passed", printed)[1]) >= 17  # type: ignore[index]


def test_an_installed_plugin_is_listed_shown_and_checked(tmp_path: Path) -> None:
    CliRunner().invoke(main, ["plugins", "new", "parcels", "--directory", str(tmp_path)])
    install(tmp_path / "chatnation-parcels", tmp_path / "installed")
    listed = json.loads(chatnation(tmp_path / "installed", "plugins", "list", "--json"))
    assert {entry["name"]: entry for entry in listed}["parcels"] == {
        "name": "parcels",
        "state": "active",
        "reason": "",
        "detail": "",
        "title": "Parcels",
        "version": "0.1.0",
        "origin": "chatnation-parcels",
        "requires": [],
    }
    assert "GET /api/parcels [parcels.view]" in chatnation(tmp_path / "installed", "plugins", "show", "parcels")
    assert chatnation(tmp_path / "installed", "plugins", "check", "parcels") == "parcels: ok\n"


@pytest.mark.parametrize("package", CONTRIB, ids=lambda package: package.name)
def test_a_contributed_package_passes_its_tests_from_its_wheel(
    package: Path, tmp_path: Path, servers: SharedServers
) -> None:
    copy = tmp_path / package.name
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("*_cache", "__pycache__", "dist"))
    install(copy, tmp_path / "installed")
    shutil.rmtree(copy / "src")
    assert "passed" in run_tests(copy, tmp_path / "installed", servers)


async def test_upgrades_go_on_after_a_plugin_with_tables_was_uninstalled(
    tmp_path: Path, servers: SharedServers, empty_database: str
) -> None:
    CliRunner().invoke(main, ["plugins", "new", "parcels", "--tables", "--directory", str(tmp_path)])
    install(tmp_path / "chatnation-parcels", tmp_path / "installed")
    (tmp_path / "removed").mkdir()
    instance = {
        "CHATNATION_DATABASE_URL": empty_database,
        "CHATNATION_REDIS_URL": servers.redis_url,
        "CHATNATION_SECRET_KEY": "0123456789abcdef" * 3,
        "CHATNATION_ENCRYPTION_KEYS": "01" * 32,
    }
    assert "parcels" in chatnation(tmp_path / "installed", "db", "upgrade", environment=instance)
    assert "parcels: ok" in chatnation(tmp_path / "installed", "db", "check", environment=instance)
    assert "parcels" not in chatnation(tmp_path / "removed", "db", "upgrade", environment=instance)
    assert "core: ok" in chatnation(tmp_path / "removed", "db", "check", environment=instance)
    chatnation(tmp_path / "removed", "db", "drop", "parcels", "--yes", environment=instance)
    connection = await asyncpg.connect(plain_url(empty_database))
    try:
        assert not await connection.fetchval("SELECT 1 FROM pg_namespace WHERE nspname = 'parcels'")
    finally:
        await connection.close()
