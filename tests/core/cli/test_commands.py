"""The commands for operators, run as the operator would: on servers named in the environment."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from chatnation.core.cli import main
from chatnation.core.cli._context import Instance, on_instance
from chatnation.testing.servers import SharedServers


class Console:
    """Runs commands. `fails` gives the error text of a command that must fail; `json` what one prints."""

    def __init__(self) -> None:
        self._runner = CliRunner()

    def run(self, *arguments: str, answer: str | None = None) -> Result:
        return self._runner.invoke(main, arguments, input=answer)

    def __call__(self, *arguments: str, answer: str | None = None) -> str:
        result = self.run(*arguments, answer=answer)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))

    def fails(self, *arguments: str, answer: str | None = None) -> str:
        result = self.run(*arguments, answer=answer)
        assert result.exit_code != 0, result.output
        assert "Traceback" not in result.output
        return result.stderr


def execute(statement: str) -> None:
    """Change something behind everybody's back."""

    async def work(instance: Instance) -> None:
        async with instance.storage.system("a change for a test") as connection:
            await connection.execute(text(statement))

    on_instance(work)


def store_an_event_of_2020() -> None:
    """Put an event into the table as if it had always been there."""
    execute(
        "INSERT INTO events (timestamp, received_at, tenant_id, project_id, message_id, event_name, event_type,"
        " channel_type) SELECT '2020-01-01', now(), tenant_id, id, gen_random_uuid(), 'paid', 'track', 'web'"
        " FROM projects"
    )


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, servers: SharedServers, tmp_path: Path) -> Callable[[str], Console]:
    """A console for the database of an address."""

    def console(database_url: str) -> Console:
        monkeypatch.setenv("CHATNATION_DATABASE_URL", database_url)
        monkeypatch.setenv("CHATNATION_REDIS_URL", servers.redis_url)
        monkeypatch.setenv("CHATNATION_SECRET_KEY", "0123456789abcdef" * 3)
        monkeypatch.setenv("CHATNATION_ENCRYPTION_KEYS", "01" * 32)
        monkeypatch.setenv("CHATNATION_DATA_DIR", str(tmp_path))
        return Console()

    return console


@pytest.fixture
def fresh(environment: Callable[[str], Console], empty_database: str) -> Console:
    """A console for a database without tables."""
    return environment(empty_database)


@pytest.fixture
def console(environment: Callable[[str], Console], database: str) -> Console:
    """A console for a database with the core's tables."""
    return environment(database)


@pytest.fixture
def kra(console: Console) -> Console:
    """One with a tenant and a project."""
    console("tenant", "create", "Kenya Revenue Authority", "--slug", "kra")
    console("project", "create", "Website")
    return console


def test_the_columnar_copy_is_rebuilt_and_recounted(fresh: Console) -> None:
    fresh("db", "upgrade")
    fresh("tenant", "create", "Kenya Revenue Authority", "--slug", "kra")
    fresh("project", "create", "Website")
    store_an_event_of_2020()
    found = json.loads(fresh.run("db", "verify", "--json").stdout)
    assert [(each["tenant"], each["source"], each["problem"]) for each in found] == [
        ("kra", "events", "1 rows are in no segment")
    ]
    assert fresh.run("db", "verify").exit_code == 1
    assert "1 rows were copied." in fresh("db", "rebuild", "--tenant", "kra")
    assert "The copy says what the tables do." in fresh("db", "verify")
    assert fresh.json("db", "verify", "--tenant", "kra") == []
    execute("UPDATE segments SET format = 0")
    told = fresh.run("db", "verify")
    assert told.exit_code == 0
    assert "1 segments are of another release's format" in told.stderr
    assert "0 rows" not in fresh("db", "rebuild")
    assert "format" not in fresh.run("db", "verify").stderr
    assert "nobody" in fresh.fails("db", "rebuild", "--tenant", "nobody")


def test_an_empty_database_is_behind_until_it_is_upgraded(fresh: Console) -> None:
    assert "db upgrade" in fresh.fails("tenant", "list")
    fresh.fails("db", "check")
    assert {row["owner"]: row["before"] for row in fresh.json("db", "upgrade")}["core"] is None
    fresh("db", "check")
    states = {row["owner"]: row for row in fresh.json("db", "current")}
    assert states["core"]["current"] == states["core"]["head"]
    assert "There is no tenant yet." in fresh("tenant", "list")


def test_what_a_plugin_keeps_is_removed_once_it_is_switched_off(
    fresh: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh("db", "upgrade")
    assert "is active" in fresh.fails("db", "drop", "sessions", "--yes")
    monkeypatch.setenv("CHATNATION_PLUGINS_DISABLED", "sessions")
    assert {row["owner"]: row["head"] for row in fresh.json("db", "current")}["sessions"] == "not active"
    fresh.fails("db", "drop", "sessions", answer="n\n")
    fresh("db", "drop", "sessions", answer="y\n")
    assert "sessions" not in {row["owner"] for row in fresh.json("db", "current")}
    assert "No plugin sessions" in fresh.fails("db", "drop", "sessions")


def test_a_revision_is_refused_for_somebody_without_a_history(fresh: Console) -> None:
    fresh("db", "upgrade")
    assert "core" in fresh.fails("db", "revision", "nobody", "Something")


def test_tenants_are_made_listed_and_changed(console: Console) -> None:
    assert "project create" in console("tenant", "create", "Kenya Revenue Authority")
    assert "already" in console.fails("tenant", "create", "Kenya Revenue Authority")
    assert "time zone" in console.fails("tenant", "create", "Other", "--timezone", "Mars/Olympus")
    console("tenant", "set", "kenya-revenue-authority", "--name", "KRA", "--timezone", "Africa/Kampala")
    (tenant,) = console.json("tenant", "list")
    assert (tenant["slug"], tenant["name"], tenant["timezone"]) == ("kenya-revenue-authority", "KRA", "Africa/Kampala")


def test_with_several_tenants_a_command_wants_to_know_which(kra: Console) -> None:
    kra("tenant", "create", "Other")
    assert "say which: kra, other" in kra.fails("project", "list")
    assert kra.json("project", "list", "--tenant", "other") == []
    assert "no tenant nobody" in kra.fails("project", "list", "--tenant", "nobody")


def test_a_project_says_who_may_send_and_what_becomes_of_addresses_and_properties(kra: Console) -> None:
    kra(
        "project", "set", "website", "--allow-origin", "https://*.kra.go.ke", "--ip-mode", "never", "--mask", "pin=hash"
    )
    kra("project", "set", "website", "--mask", "phone=drop", "--mask", "pin=none")
    (project,) = kra.json("project", "list")
    assert project["allowed_origins"] == ["https://*.kra.go.ke"]
    assert (project["ip_mode"], project["masking"]) == ("never", {"phone": "drop"})
    assert "not an origin" in kra.fails("project", "set", "website", "--allow-origin", "kra.go.ke")
    assert "pin=hash" in kra.fails("project", "set", "website", "--mask", "pin")
    assert "no project nothing" in kra.fails("project", "set", "nothing", "--name", "x")


def test_a_key_is_printed_once_and_then_only_its_beginning(kra: Console) -> None:
    secret = kra("key", "create", "Browser").strip()
    assert secret.startswith("cn_write_")
    listed = kra("key", "list")
    assert secret[:15] in listed
    assert secret not in listed
    reader = kra.json("key", "create", "Reader", "--type", "read", "--expires-in", "30")
    assert reader["secret"].startswith("cn_read_")
    assert {entry["name"]: entry["project"] for entry in kra.json("key", "list")} == {
        "Browser": "website",
        "Reader": None,
    }


def test_a_key_is_replaced_and_the_old_one_ends_later(kra: Console) -> None:
    old = kra("key", "create", "Browser").strip()
    new = kra("key", "rotate", old, "--overlap", "2").strip()
    assert (new.startswith("cn_write_"), new == old) == (True, False)
    made, ending = kra.json("key", "list")
    assert (made["expires_at"], ending["expires_at"] is None, ending["name"]) == (None, False, "Browser")


def test_a_key_is_revoked_after_a_question(kra: Console) -> None:
    secret = kra("key", "create", "Browser").strip()
    kra.fails("key", "revoke", secret, answer="n\n")
    assert kra.json("key", "list")[0]["revoked_at"] is None
    assert "never used" in kra("key", "revoke", secret, answer="y\n")
    assert kra.json("key", "list")[0]["revoked_at"] is not None
    assert "key list" in kra.fails("key", "revoke", secret, "--yes")


def test_a_user_gets_a_password_that_is_good_or_made_up(kra: Console) -> None:
    assert "needs" in kra.fails("user", "create", "a@example.org", "--password", "short")
    assert "Password" in kra("user", "create", "a@example.org", "--role", "super_admin")
    made = kra.json("user", "create", "b@example.org", "--password", "Long-enough-1")
    assert "password" not in made
    assert [user["role"] for user in kra.json("user", "list")] == ["super_admin", "agent"]
    assert "not an e-mail" in kra.fails("user", "create", "nobody")
    assert "new password" in kra("user", "password", "b@example.org", "--password", "Another-one-2")


def test_a_user_is_signed_out_and_let_in_again_who_lost_the_second_factor(kra: Console) -> None:
    kra("user", "create", "a@example.org", "--role", "super_admin")
    assert "0 logins" in kra("user", "sign-out", "A@example.org")
    kra.run("user", "reset-factors", "a@example.org", answer="n\n")
    assert "0 second factors" in kra("user", "reset-factors", "a@example.org", "--yes")
    assert "no user" in kra.fails("user", "reset-factors", "b@example.org", "--yes")


def test_a_user_is_invited_given_a_role_and_a_link_to_a_password(kra: Console) -> None:
    kra("user", "create", "a@example.org", "--role", "super_admin")
    kra("user", "create", "b@example.org")
    made = kra.json("user", "invite", "c@example.org", "--role", "AUDITOR")
    assert "/invitation?token=" in made["link"]
    (waiting,) = kra.json("user", "invitations")
    assert (waiting["email"], waiting["role"]) == ("c@example.org", "auditor")
    assert "member already" in kra.fails("user", "invite", "B@example.org")
    assert "is developer now" in kra("user", "role", "b@example.org", "developer")
    assert "last super_admin" in kra.fails("user", "role", "a@example.org", "agent")
    assert "no such role" in kra.fails("user", "role", "b@example.org", "emperor")
    assert "/reset-password?token=" in kra("user", "reset-link", "b@example.org")
    kra("user", "revoke", "b@example.org", "--yes")
    assert "could not log in" in kra.fails("user", "reset-link", "b@example.org")
    kra("user", "reactivate", "b@example.org")
    assert [user["active"] for user in kra.json("user", "list")] == [True, True]


def test_a_user_is_revoked_but_not_the_last_admin(kra: Console) -> None:
    kra("user", "create", "a@example.org", "--role", "super_admin")
    kra("user", "create", "b@example.org")
    assert "last super_admin" in kra.fails("user", "revoke", "a@example.org", "--yes")
    kra("user", "revoke", "b@example.org", answer="y\n")
    assert {user["email"]: user["active"] for user in kra.json("user", "list")} == {
        "a@example.org": True,
        "b@example.org": False,
    }


def test_a_tenant_is_erased_only_by_whoever_types_its_handle(kra: Console) -> None:
    kra("user", "create", "a@example.org")
    assert "nothing was erased" in kra.fails("tenant", "erase", "kra", answer="kr\n")
    assert "nothing was erased" in kra.fails("tenant", "erase", "kra", "--confirm", "other")
    assert "receipt 1" in kra("tenant", "erase", "kra", answer="kra\n")
    assert kra.json("tenant", "list") == []


def test_a_tenant_is_exported_into_a_file_of_one_s_own_that_is_never_replaced_by_accident(
    kra: Console, tmp_path: Path
) -> None:
    target = tmp_path / "kra.zip"
    told = kra.json("tenant", "export", "kra", "--output", str(target))
    assert {table["table"]: table["rows"] for table in told["tables"]}["tenants"] == 1
    assert target.stat().st_mode & 0o777 == 0o600
    assert told["size"] == target.stat().st_size
    assert "nothing was exported" in kra.fails("tenant", "export", "kra", "--output", str(target))
    assert "Wrote" in kra("tenant", "export", "kra", "--output", str(target), "--force")
    assert [path.name for path in tmp_path.glob("kra*")] == ["kra.zip"]


def test_a_tenant_is_deleted_after_it_was_exported_where_that_is_asked_for(kra: Console, tmp_path: Path) -> None:
    target = tmp_path / "last.zip"
    receipt = kra.json("tenant", "delete", "kra", "--confirm", "kra", "--export", str(target))
    assert receipt["subject"] == "tenant"
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert "core/tenants.json" in archive.namelist()
    assert kra.json("tenant", "list") == []


def test_somebody_unknown_is_said_to_be_unknown(kra: Console) -> None:
    for command in ("show", "export", "erase"):
        assert "Nobody in kra" in kra.fails("person", command, "254712345678")
