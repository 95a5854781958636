"""`chatnation audit verify`, and what commands leave in the log."""

from __future__ import annotations

import asyncio
import json

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from chatnation.core.cli import main
from chatnation.testing import MakeApp, RunningApp
from tests.plugins.audit.chains import actions, write


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> object:
    """Runs `chatnation` on the database of an app."""

    async def command(running: RunningApp, *arguments: str) -> Result:
        settings = running.app.settings
        assert settings.secret_key is not None
        monkeypatch.setenv("CHATNATION_DATABASE_URL", settings.database_url or "")
        monkeypatch.setenv("CHATNATION_REDIS_URL", settings.redis_url or "")
        monkeypatch.setenv("CHATNATION_SECRET_KEY", settings.secret_key.get_secret_value())
        monkeypatch.setenv("CHATNATION_ENCRYPTION_KEYS", "01" * 32)
        return await asyncio.to_thread(CliRunner().invoke, main, list(arguments))

    return command


async def test_verify_says_that_every_log_is_intact_and_which_one_is_not(make_app: MakeApp, run) -> None:  # type: ignore[no-untyped-def]
    running = await make_app()
    source = await running.source()
    await write(running, source, "config.team.created")
    done = await run(running, "audit", "verify")
    assert done.exit_code == 0, done.output
    assert f"{source.tenant.slug}: intact, 1 sealed" in done.output
    async with running.app.storage.system("tamper with a log") as connection:
        await connection.execute(text("ALTER TABLE audit.records DISABLE TRIGGER USER"))
        await connection.execute(text("UPDATE audit.records SET action = 'x'"))
        await connection.execute(text("ALTER TABLE audit.records ENABLE TRIGGER USER"))
    done = await run(running, "audit", "verify", "--tenant", source.tenant.slug, "--json")
    assert done.exit_code == 1
    (verdict,) = json.loads(done.stdout)
    assert verdict["intact"] is False
    assert verdict["faults"][0]["what"] == "the record was changed"


async def test_commands_record_what_they_do_and_keep_keys_and_passwords_to_themselves(make_app: MakeApp, run) -> None:  # type: ignore[no-untyped-def]
    running = await make_app()
    source = await running.source()
    of = ("--tenant", source.tenant.slug)
    secrets = []
    for arguments in (
        ("project", "create", "Shop", *of),
        ("project", "set", "shop", "--name", "The shop", *of),
        ("key", "create", "a key", "--project", "shop", "--json", *of),
        ("user", "create", "w@example.org", "--json", *of),
        ("user", "password", "w@example.org", "--password", "A-new-passw0rd!", *of),
        ("user", "revoke", "w@example.org", "--yes", *of),
        ("tenant", "set", source.tenant.slug, "--name", "Renamed"),
        ("plugins", "disable", "sessions", *of),
        ("plugins", "enable", "sessions", *of),
    ):
        done = await run(running, *arguments)
        assert done.exit_code == 0, (arguments, done.output)
        if "--json" in arguments:
            made = json.loads(done.stdout)
            secrets.append(made.get("secret") or made["password"])
    assert await actions(running, source) == [
        "config.project.created",
        "config.project.updated",
        "config.key.created",
        "config.member.added",
        "auth.password.reset",
        "config.member.deactivated",
        "config.tenant.updated",
        "config.plugin.disabled",
        "config.plugin.enabled",
    ]
    async with running.app.storage.system("look for secrets") as connection:
        written = await connection.scalar(text("SELECT string_agg(r::text, ' ') FROM audit.records r"))
    assert not [secret for secret in [*secrets, "A-new-passw0rd!"] if secret in written]
    assert "on the command line" in written


async def test_an_erased_tenant_is_remembered_by_the_log_of_the_instance(make_app: MakeApp, run) -> None:  # type: ignore[no-untyped-def]
    running = await make_app()
    source = await running.source()
    done = await run(running, "tenant", "erase", source.tenant.slug, "--confirm", source.tenant.slug)
    assert done.exit_code == 0, done.output
    async with running.app.storage.system("look at the log of the instance") as connection:
        rows = (
            await connection.execute(text("SELECT action, details FROM audit.records WHERE tenant_id IS NULL"))
        ).all()
    assert [(row.action, row.details["tenant"]) for row in rows] == [("danger_zone.tenant.deleted", source.tenant.slug)]
    assert "(instance): intact, 1 sealed" in (await run(running, "audit", "verify")).output
