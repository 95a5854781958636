"""`chatnation plugins`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chatnation.core.cli import main
from chatnation.testing import MakeApp


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["plugins", *arguments])


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a plugin that does not load."""
    path = tmp_path / "broken.py"
    path.write_text("raise RuntimeError('the reason in full')\n")
    monkeypatch.setenv("CHATNATION_PLUGIN_PATHS", str(path))
    return "broken"


@pytest.fixture
def careless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a plugin that loads and breaks rules for authors."""
    path = tmp_path / "careless.py"
    path.write_text(
        "from chatnation import Plugin, hookimpl\nfrom chatnation.core.settings import Role\n\n\n"
        'class Careless(Plugin):\n    """A title, and nothing else."""\n\n    name = "careless"\n\n'
        "    @hookimpl\n    def register_jobs(self):\n        return []\n"
    )
    monkeypatch.setenv("CHATNATION_PLUGIN_PATHS", str(path))
    return "careless"


def test_list_shows_every_plugin_with_its_state() -> None:
    lines = run("list").output.splitlines()
    assert [line for line in lines if line.startswith("sessions ") and " active " in line]


def test_list_gives_the_reason_in_full_to_the_operator(broken: str) -> None:
    output = run("list").output
    assert "broken" in output
    assert "failed" in output
    assert "the reason in full" in output
    (entry,) = [entry for entry in json.loads(run("list", "--json").output) if entry["name"] == broken]
    assert (entry["state"], entry["detail"]) == ("failed", "the reason in full")


def test_list_marks_what_the_operator_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATNATION_PLUGINS_DISABLED", "sessions")
    listed = {entry["name"]: entry["state"] for entry in json.loads(run("list", "--json").output)}
    assert listed["sessions"] == "disabled"
    assert listed["overview"] == "blocked"


def test_show_names_all_that_a_plugin_registers() -> None:
    report = json.loads(run("show", "sessions", "--json").output)
    assert report["registered"]["projections"] == ["build_sessions"]
    assert "inactivity_minutes" in report["tenant_settings"]
    assert "build_sessions" in run("show", "sessions").output


def test_show_of_an_unknown_plugin_says_so() -> None:
    result = run("show", "absent")
    assert result.exit_code == 1
    assert "There is no plugin absent" in result.output


def test_check_passes_every_bundled_plugin() -> None:
    result = run("check")
    assert result.exit_code == 0, result.output


def test_check_fails_for_a_plugin_that_does_not_load(broken: str) -> None:
    result = run("check", broken)
    assert result.exit_code == 1
    assert "failed: import failed: RuntimeError" in result.output


def test_check_names_each_rule_that_an_author_broke(careless: str) -> None:
    result = run("check", careless)
    assert result.exit_code == 1
    assert "no text below it" in result.output
    assert "the hook register_jobs lacks annotations" in result.output
    assert "careless.py:2 imports chatnation.core.settings" in result.output


@pytest.mark.parametrize("name", ["Parcels", "with-dash", "core", "pg_things", "9lives", "x" * 41, "../up"])
def test_new_refuses_a_name_that_cannot_be_one(name: str, tmp_path: Path) -> None:
    result = run("new", name, "--directory", str(tmp_path))
    assert result.exit_code == 1
    assert "cannot be the name of a plugin" in result.output
    assert list(tmp_path.iterdir()) == []


def test_new_does_not_write_over_what_is_there(tmp_path: Path) -> None:
    assert run("new", "parcels", "--directory", str(tmp_path)).exit_code == 0
    again = run("new", "parcels", "--directory", str(tmp_path))
    assert again.exit_code == 1
    assert "exists already" in again.output


async def test_enable_and_disable_switch_a_plugin_for_one_tenant(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await make_app()
    settings = running.app.settings
    monkeypatch.setenv("CHATNATION_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("CHATNATION_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("CHATNATION_SECRET_KEY", settings.secret_key.get_secret_value() if settings.secret_key else "")
    monkeypatch.setenv("CHATNATION_ENCRYPTION_KEYS", "01" * 32)
    mine, theirs = (await running.source()).tenant, (await running.source()).tenant

    async def after(*arguments: str) -> tuple[str, bool, bool]:
        output = (await asyncio.to_thread(run, *arguments)).output
        await running.app.versions.poll()
        return output, *("sessions" in running.app.enabled(tenant.id) for tenant in (mine, theirs))

    off = await after("disable", "sessions", "--tenant", mine.slug)
    assert off == (f"sessions is off for {mine.slug}.\n", False, True)
    on = await after("enable", "sessions", "--tenant", mine.slug)
    assert on == (f"sessions is on for {mine.slug}.\n", True, True)
    assert "There is no plugin absent" in (await after("disable", "absent", "--tenant", mine.slug))[0]
