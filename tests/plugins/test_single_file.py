"""The example in one file works as its text says."""

from __future__ import annotations

import importlib.util
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from chatnation.core.cli import main
from chatnation.core.plugin.inventory import State
from chatnation.testing import FakeClock, MakeApp, compliance, track

EXAMPLE = Path(__file__).parents[2] / "examples" / "single_file_plugin.py"


def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("single_file_plugin", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["single_file_plugin"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


deadline = example()
TestCompliance = compliance.suite(deadline.DeadlinePlugin)


@pytest.mark.parametrize(
    ("today", "due", "left"),
    [("2026-01-01", "2026-01-20", 19), ("2026-01-20", "2026-01-20", 0), ("2026-12-21", "2027-01-20", 30)],
)
def test_the_next_deadline_is_today_or_later(today: str, due: str, left: int) -> None:
    found = deadline.next_deadline(date.fromisoformat(today), 20)
    assert (found.due.isoformat(), found.days_left) == (due, left)


async def test_the_file_is_found_through_the_setting_and_does_what_it_says(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATNATION_DEADLINE_DAY", "15")
    clock = FakeClock(datetime.now(UTC).replace(day=14, hour=9))
    running = await make_app(settings={"plugin_paths": [EXAMPLE]}, clock=clock)
    record = running.app.inventory["deadline"]
    assert (record.state, record.candidate.origin) == (State.ACTIVE, str(EXAMPLE))
    source = await running.source()
    await running.ingest_and_drain([track("return_filed", {"amount": 5}, at=clock.now()), track("other")], source)
    async with running.app.storage.tenant(source.tenant.id) as connection:
        rows = await connection.execute(text("SELECT event_name, properties FROM events ORDER BY 1"))
        assert [tuple(row) for row in rows] == [("other", {}), ("return_filed", {"amount": 5, "days_left": 1})]
    client = await running.client(await running.person(source.tenant))
    assert (await client.get("/api/deadline")).json()["days_left"] == 1
    assert "Days until returns are due: <strong>1</strong>" in (await client.get("/overview")).text


def test_the_command_line_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATNATION_PLUGIN_PATHS", str(EXAMPLE))
    shown = json.loads(CliRunner().invoke(main, ["plugins", "show", "deadline", "--json"]).output)
    assert shown["version"] == "1.0"
    assert shown["registered"]["routes"] == ["GET /api/deadline [authenticated]"]
    assert CliRunner().invoke(main, ["plugins", "check", "deadline"]).exit_code == 0
