"""`chatnation email test`."""

from __future__ import annotations

import asyncio

import pytest
from click.testing import CliRunner, Result

from chatnation.core.cli import main
from chatnation.testing import MakeApp, RunningApp
from tests.plugins.email.carriers import smtp


async def run(running: RunningApp, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    settings = running.app.settings
    assert settings.secret_key is not None
    monkeypatch.setenv("CHATNATION_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("CHATNATION_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("CHATNATION_SECRET_KEY", settings.secret_key.get_secret_value())
    monkeypatch.setenv("CHATNATION_ENCRYPTION_KEYS", "01" * 32)
    return await asyncio.to_thread(CliRunner().invoke, main, list(arguments))


async def test_a_test_mail_is_sent_at_once(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    running = await make_app()
    with smtp() as server:
        for name, value in (("DRIVER", "smtp"), ("SMTP_HOST", "127.0.0.1"), ("SMTP_PORT", str(server.port))):
            monkeypatch.setenv(f"CHATNATION_EMAIL_{name}", value)
        monkeypatch.setenv("CHATNATION_EMAIL_SMTP_SECURITY", "none")
        done = await run(running, monkeypatch, "email", "test", "me@example.org")
    assert done.exit_code == 0, done.output
    assert "Handed over by smtp" in done.output
    assert server.recipients == ["me@example.org"]


async def test_the_console_says_that_it_sends_nothing(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    done = await run(await make_app(), monkeypatch, "email", "test", "me@example.org")
    assert done.exit_code == 1
    assert "set it to smtp" in done.output.lower()
