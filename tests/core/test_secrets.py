"""Keys are rotated: everything sealed is sealed anew, and whoever stops in between goes on later."""

from __future__ import annotations

import asyncio
import json
import logging
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from chatnation.core.cli import main
from chatnation.core.sealed_columns import SealedColumn
from chatnation.core.storage import rotation
from chatnation.core.storage.rotation import inspect, present, rotate
from chatnation.core.storage.storage import Storage
from chatnation.core.vault import Vault, key_id
from chatnation.testing import MakeApp, RunningApp

OLD, NEW = b"\x01" * 32, b"n" * 32
COLUMN = SealedColumn("safe", "sealed", "safe:{owner}:{name}")


@pytest.fixture
async def safe(storage: Storage) -> Storage:
    """A database with a table of 25 secrets, sealed with the old key."""
    vault = Vault([OLD])
    async with storage.system("a safe for a test") as connection:
        await connection.execute(
            text("CREATE TABLE safe (owner int, name text, sealed text, PRIMARY KEY (owner, name))")
        )
        for number in range(25):
            sealed = vault.seal(f"secret {number}".encode(), f"safe:{number % 5}:{number}")
            values = {"owner": number % 5, "name": str(number), "sealed": sealed if number else None}
            await connection.execute(text("INSERT INTO safe VALUES (:owner, :name, :sealed)"), values)
    return storage


async def opened(storage: Storage, vault: Vault) -> set[str]:
    async with storage.system("open a safe") as connection:
        rows = (await connection.execute(text("SELECT owner, name, sealed FROM safe WHERE sealed IS NOT NULL"))).all()
    return {vault.open(row.sealed, f"safe:{row.owner}:{row.name}").decode() for row in rows}


async def test_everything_is_sealed_with_the_new_key_and_says_the_same(
    safe: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "_AT_ONCE", 7)
    told: list[int] = []
    (state,) = await rotate(safe, Vault([NEW, OLD]), [COLUMN], lambda label, rows: told.append(rows))
    assert (state.by_key, state.broken, sum(told)) == ({key_id(NEW): 24}, [], 24)
    assert len(told) == 4
    assert await opened(safe, Vault([NEW])) == {f"secret {number}" for number in range(1, 25)}


async def test_a_rotation_that_was_stopped_goes_on(safe: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "_AT_ONCE", 5)
    vault = Vault([NEW, OLD])

    def stop(label: str, rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rotate(safe, vault, [COLUMN], stop)
    (halfway,) = await inspect(safe, vault, [COLUMN])
    assert halfway.by_key == {key_id(NEW): 5, key_id(OLD): 19}
    (state,) = await rotate(safe, vault, [COLUMN])
    assert state.by_key == {key_id(NEW): 24}


async def test_what_does_not_open_is_told_and_left_alone(safe: Storage) -> None:
    async with safe.system("spoil a secret") as connection:
        await connection.execute(text("UPDATE safe SET sealed = 'nonsense' WHERE name = '3'"))
        await connection.execute(
            text("UPDATE safe SET sealed = (SELECT sealed FROM safe WHERE name = '5') WHERE name = '4'")
        )
    (state,) = await rotate(safe, Vault([NEW, OLD]), [COLUMN])
    assert state.broken == ["safe:3:3", "safe:4:4"]
    assert state.by_key == {key_id(NEW): 22, key_id(OLD): 1, "(unreadable)": 1}


async def test_tables_that_are_not_there_are_left_out(safe: Storage) -> None:
    absent = SealedColumn("nobody.accounts", "secret", "nobody.accounts:{id}")
    async with safe.system("which tables are there") as connection:
        assert await present(connection, [absent, COLUMN]) == [COLUMN]


@pytest.mark.parametrize(
    ("table", "column", "context"),
    [("a; DROP TABLE users", "b", "a:{id}"), ("a", "b c", "a:{id}"), ("a", "b", "a"), ("a.b.c", "d", "{id}")],
)
def test_a_column_that_is_none_is_refused(table: str, column: str, context: str) -> None:
    with pytest.raises(ValueError, match="column"):
        SealedColumn(table, column, context)


def command(running: RunningApp, monkeypatch: pytest.MonkeyPatch, keys: str | None, *arguments: str) -> Result:
    settings = running.app.settings
    assert settings.secret_key is not None
    monkeypatch.setenv("CHATNATION_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("CHATNATION_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("CHATNATION_SECRET_KEY", settings.secret_key.get_secret_value())
    monkeypatch.setenv("CHATNATION_DATA_DIR", str(settings.data_dir))
    if keys is None:
        monkeypatch.delenv("CHATNATION_ENCRYPTION_KEYS", raising=False)
    else:
        monkeypatch.setenv("CHATNATION_ENCRYPTION_KEYS", keys)
    return CliRunner().invoke(main, ["secrets", *arguments])


async def second_factor(running: RunningApp) -> int:
    """A user with a sealed second factor; their number."""
    source = await running.source()
    person = await running.person(source.tenant)
    async with running.app.storage.system("a second factor of a test") as connection:
        user_id = await connection.scalar(text("SELECT id FROM users WHERE email = :email"), {"email": person.email})
        sealed = Vault([OLD]).seal(b"JBSWY3DPEHPK3PXP", f"second_factors:{user_id}:app")
        await connection.execute(
            text("INSERT INTO second_factors (user_id, factor, sealed) VALUES (:user, 'app', :sealed)"),
            {"user": user_id, "sealed": sealed},
        )
    assert user_id is not None
    return user_id


async def test_the_command_rotates_what_the_product_keeps_and_check_tells(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await make_app()
    user_id = await second_factor(running)
    both = f"{NEW.hex()},{OLD.hex()}"
    assert "1 by key" in (await asyncio.to_thread(command, running, monkeypatch, both, "check")).output
    done = await asyncio.to_thread(command, running, monkeypatch, both, "rotate", "--json")
    assert done.exit_code == 0, done.output
    states = {state["column"]: state for state in json.loads(done.stdout)}
    assert states["second_factors.sealed"]["by_key"] == {key_id(NEW): 1}
    assert OLD.hex() not in done.output
    assert NEW.hex() not in done.output
    lost = await asyncio.to_thread(command, running, monkeypatch, OLD.hex(), "check")
    assert lost.exit_code == 1
    assert f"second_factors:{user_id}:app does not open" in lost.output
    async with running.app.storage.system("look at the log of the instance") as connection:
        actions = list(await connection.scalars(text("SELECT action FROM audit.records WHERE tenant_id IS NULL")))
    assert actions == ["config.secrets.rotated"]


async def test_keys_in_the_data_folder_are_made_and_replaced_by_the_command(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await make_app()
    await second_factor(running)
    kept = Path(running.app.settings.data_dir, "encryption_keys")
    kept.write_text(OLD.hex())
    held = Vault.of(running.app.settings.model_copy(update={"encryption_keys": None}))
    for expected in (2, 2):
        done = await asyncio.to_thread(command, running, monkeypatch, None, "rotate")
        assert done.exit_code == 0, done.output
        assert len(kept.read_text().split()) == expected
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert OLD.hex() not in kept.read_text()
    async with running.app.storage.system("look at a secret") as connection:
        row = (await connection.execute(text("SELECT user_id, sealed FROM second_factors"))).one()
    # A process that has run all the while finds the new key by itself.
    assert held.open(row.sealed, f"second_factors:{row.user_id}:app") == b"JBSWY3DPEHPK3PXP"


async def test_without_keys_a_command_says_how_to_make_one(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    running = await make_app()
    done = await asyncio.to_thread(command, running, monkeypatch, None, "check")
    assert done.exit_code == 1
    assert "CHATNATION_ENCRYPTION_KEYS is not set" in done.output
    assert "secrets.token_hex(32)" in done.output


async def test_no_secret_of_a_run_is_in_logs_errors_introspection_or_the_audit_log(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    mail = {"driver": "smtp", "smtp_host": "127.0.0.1", "smtp_port": 1, "smtp_password": "sm7p-s3cret", "attempts": 1}
    running = await make_app(plugin_settings={"email": mail})
    source = await running.source()
    person = await running.person(source.tenant)
    client = await running.client(person)
    stranger = await running.client()
    seen = []
    await running.capture([{"event_name": "x"}], source)
    wrong = {"email": person.email, "password": "a-wr0ng-password"}
    for asking, method, path, options in (
        (stranger, "POST", "/api/auth/login", {"json": wrong}),
        (stranger, "POST", "/api/auth/login", {"json": {"email": person.email, "password": person.password}}),
        (stranger, "POST", "/api/auth/login", {"json": {"email": ["a"], "password": {"deep": "a-wr0ng-password"}}}),
        (stranger, "GET", "/api/auth/me", {"headers": {"Authorization": f"Bearer {source.write_key}x"}}),
        (stranger, "POST", "/api/auth/forgot-password", {"json": {"email": person.email}}),
        (client, "GET", "/-/health", {}),
        (client, "GET", "/-/plugins", {}),
        (client, "GET", "/-/settings", {}),
        (client, "GET", "/-/metrics", {}),
        (client, "GET", "/-/config", {}),
        (client, "GET", "/settings/outbox", {"headers": {"Accept": "text/html"}}),
        (client, "GET", "/api/audit-logs", {}),
        (client, "GET", "/nowhere", {"headers": {"Accept": "text/html"}}),
    ):
        answer = await asking.request(method, path, **options)
        if path != "/api/auth/login" or answer.status_code >= 400:
            seen.append(answer.text)
    await running.run_jobs()
    async with running.app.storage.system("look for secrets") as connection:
        seen += await connection.scalars(text("SELECT r::text FROM audit.records r"))
        seen += await connection.scalars(text("SELECT o::text FROM email.outbox o"))
    secrets = [
        running.app.settings.secret_key.get_secret_value(),  # type: ignore[union-attr]
        running.app.settings.encryption_keys.get_secret_value(),  # type: ignore[union-attr]
        "sm7p-s3cret",
        person.password,
        person.token,
        source.write_key,
        "a-wr0ng-password",
    ]
    everything = "\n".join([*seen, caplog.text, repr(running.app.settings)])
    assert [secret for secret in secrets if secret in everything] == []
    assert "auth.login_failure" in everything
