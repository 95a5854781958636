"""Records are written with what they tell, never changed, and shown to those who may see them."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chatnation import AuditRecord, audit_of
from chatnation.core.auth.permissions import RoleName
from chatnation.core.storage.erasure import Eraser
from chatnation.plugins.audit.jobs import CUT
from chatnation.plugins.audit.settings import AuditTenantSettings
from chatnation.plugins.audit.trail import REMOVED, without_secrets
from chatnation.testing import MakeApp, identify
from chatnation.testing.clock import FakeClock
from tests.plugins.audit.chains import actions, check, write


async def test_a_record_is_written_with_what_it_tells_or_not_at_all(make_app: MakeApp) -> None:
    running = await make_app()
    source = await running.source()
    with pytest.raises(RuntimeError):
        async with running.app.storage.tenant(source.tenant.id) as connection:
            await audit_of(running.app).record(connection, AuditRecord(source.tenant.id, "config.team.created"))
            raise RuntimeError
    assert await actions(running, source) == []
    await write(running, source, "config.team.created")
    assert await actions(running, source) == ["config.team.created"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit.records SET actor_name = 'somebody else'",
        "UPDATE audit.records SET redacted_at = now()",
        "DELETE FROM audit.records",
        "TRUNCATE audit.records, audit.seals, audit.anchors, audit.waiting",
        "UPDATE audit.seals SET hash = ''",
        "DELETE FROM audit.seals",
    ],
)
async def test_the_database_refuses_to_change_the_log_also_to_its_owner(make_app: MakeApp, statement: str) -> None:
    running = await make_app()
    source = await running.source()
    await write(running, source, "config.team.created")
    await check(running, source)
    with pytest.raises(DBAPIError, match="append-only"):
        async with running.app.storage.system("an owner who forgot himself") as connection:
            await connection.execute(text(statement))
    assert (await check(running, source)).intact


async def test_what_is_called_like_a_secret_is_never_written(make_app: MakeApp) -> None:
    details = {
        "password": "hunter2",
        "api_token": "abc",
        "nested": {"client_secret": "x", "list": [{"code": "123456"}]},
        "role_id": 7,
        "password_changed": True,
        "text": "a\x00b" + "c" * 2_000,
    }
    kept = without_secrets(details)
    assert kept["password"] == kept["api_token"] == kept["nested"]["client_secret"] == REMOVED
    assert kept["nested"]["list"] == [{"code": REMOVED}]
    assert (kept["role_id"], kept["password_changed"], len(kept["text"])) == (7, True, 1_000)
    running = await make_app()
    source = await running.source()
    await write(running, source, "config.settings.updated", **details)
    client = await running.client(await running.person(source.tenant))
    assert "hunter2" not in (await client.get("/api/audit-logs")).text


async def test_the_api_filters_and_pages_by_keyset(make_app: MakeApp) -> None:
    running = await make_app()
    source = await running.source()
    for number in range(7):
        await write(running, source, "config.team.created", resource_id=str(number))
    await write(running, source, "auth.login_failure", actor=None, resource_type="user")
    client = await running.client(await running.person(source.tenant))

    async def found(**query: Any) -> list[dict[str, Any]]:
        answer = await client.get("/api/audit-logs", params=query)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    assert len(await found(action="config.team.created")) == 7
    assert len(await found(action="config.")) == 7
    assert [row["actor_name"] for row in await found(action="auth.login_failure")] == [None]
    assert [row["resource_id"] for row in await found(resource_type="team", resource_id="3")] == ["3"]
    assert len(await found(actor="WANJIKU", action="config.")) == 7
    assert await found(actor_id=4711) == []
    assert len(await found(start_date="2020-01-01", action="config.")) == 7
    assert await found(end_date="2020-01-01") == []
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get("/api/audit-logs", params={"action": "config.", "limit": 3, **cursor})).json()
        seen += [row["resource_id"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"after": page["next_cursor"]}
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]
    for bad in ({"limit": "500"}, {"after": "nonsense"}, {"start_date": "0001-01-01"}, {"actor_id": str(2**40)}):
        assert (await client.get("/api/audit-logs", params=bad)).status_code in {400, 422}


async def test_reading_and_exporting_the_log_is_recorded_too(make_app: MakeApp) -> None:
    running = await make_app()
    source = await running.source()
    client = await running.client(await running.person(source.tenant))
    await client.get("/api/audit-logs", params={"action": "auth."})
    downloaded = await client.get("/audit-logs/export.csv")
    assert downloaded.status_code == 200
    rows = list(csv.DictReader(io.StringIO(downloaded.text.removeprefix("\ufeff"))))
    assert [row["action"] for row in rows] == ["audit.log.exported", "audit.log.viewed"]
    (viewed,) = (await client.get("/api/audit-logs", params={"action": "audit.log.viewed"})).json()["items"]
    assert viewed["details"] == {"filters": {"action": "auth."}}
    assert viewed["actor_name"].endswith("@example.org")


async def test_the_pages_show_the_log_and_one_record(make_app: MakeApp) -> None:
    running = await make_app()
    source = await running.source()
    await write(running, source, "config.team.created", name="<script>alert(1)</script>")
    client = await running.client(await running.person(source.tenant), headers={"Accept": "text/html"})
    page = await client.get("/audit-logs", params={"action": "", "actor": "wanjiku"})
    assert page.status_code == 200
    assert "config.team.created" in page.text
    (row,) = (await client.get("/api/audit-logs", params={"action": "config."})).json()["items"]
    record = await client.get(f"/audit-logs/{row['id']}")
    assert "&lt;script&gt;" in record.text
    assert "<script>alert" not in record.text
    assert (await client.get("/audit-logs", params={"start_date": "yesterday"})).status_code == 422
    assert (await client.get("/audit-logs/999999999")).status_code == 404


async def test_a_tenant_sees_its_own_records_only_and_an_agent_none(make_app: MakeApp) -> None:
    running = await make_app()
    mine, theirs = await running.source(), await running.source()
    await write(running, theirs, "config.team.created")
    client = await running.client(await running.person(mine.tenant))
    assert (await client.get("/api/audit-logs", params={"action": "config."})).json()["items"] == []
    async with running.app.storage.system("look for a record") as connection:
        foreign = await connection.scalar(
            text("SELECT id FROM audit.records WHERE tenant_id = :tenant"), {"tenant": theirs.tenant.id}
        )
    assert (await client.get(f"/api/audit-logs/{foreign}")).status_code == 404
    agent = await running.client(await running.person(mine.tenant, RoleName.AGENT))
    assert (await agent.get("/api/audit-logs")).status_code == 403


async def test_retention_cuts_the_old_end_and_the_chain_still_holds(make_app: MakeApp) -> None:
    clock = FakeClock()
    running = await make_app(clock=clock)
    source, other = await running.source(), await running.source()
    for _ in range(3):
        await write(running, source, "config.team.created")
        await write(running, other, "config.team.created")
    await running.app.tenant_settings.put(source.tenant.id, "audit", AuditTenantSettings(retention_days=30))
    clock.move(timedelta(days=31))
    async with running.app.storage.system("a job of a test") as connection:
        await running.app.jobs.enqueue(connection, CUT, {})
    await running.run_jobs()
    assert await actions(running, source) == ["audit.log.cut"]
    assert len(await actions(running, other)) == 3
    verdict = await check(running, source)
    assert (verdict.intact, verdict.removed, verdict.checked) == (True, 3, 1)
    assert (await check(running, other)).intact


async def test_erasing_a_person_empties_the_records_about_them_and_the_chain_still_holds(make_app: MakeApp) -> None:
    running = await make_app()
    source = await running.source()
    await running.ingest_and_drain([identify("A001234567Z", {"name": "Wanjiku"}, visitor="v1")], source)
    async with running.app.storage.system("look for a person") as connection:
        person = await connection.scalar(
            text("SELECT leaf_id FROM identities WHERE kind = 'user' AND tenant_id = :tenant"),
            {"tenant": source.tenant.id},
        )
    assert person is not None
    await write(
        running, source, "person.exported", resource_type="person", resource_id=str(person), ids=["A001234567Z"]
    )
    await write(running, source, "config.team.created")
    assert (await check(running, source)).intact
    await Eraser(running.app.storage, running.app.hooks, running.app.inventory).erase_person(
        source.tenant, person, by="a test"
    )
    async with running.app.storage.system("look for a name") as connection:
        left = await connection.scalar(text("SELECT string_agg(r::text, ' ') FROM audit.records r"))
    assert "A001234567Z" not in left
    assert str(person) not in left
    verdict = await check(running, source)
    assert (verdict.intact, verdict.redacted) == (True, 1)
    assert (await actions(running, source))[-1] == "audit.records.redacted"


async def test_erasing_a_tenant_takes_its_log_along_and_leaves_the_others_whole(make_app: MakeApp) -> None:
    running = await make_app()
    source, other = await running.source(), await running.source()
    await write(running, source, "config.team.created")
    await write(running, other, "config.team.created")
    await check(running, other)
    await Eraser(running.app.storage, running.app.hooks, running.app.inventory).erase_tenant(source.tenant, by="a test")
    assert await actions(running, source) == []
    assert (await check(running, other)).intact


async def test_a_tenant_is_erased_also_while_the_plugin_is_switched_off(make_app: MakeApp) -> None:
    running = await make_app()
    source = await running.source()
    await write(running, source, "config.team.created")
    await check(running, source)
    without = await make_app(like=running, settings={"plugins_disabled": frozenset({"audit"})})
    eraser = Eraser(without.app.storage, without.app.hooks, without.app.inventory)
    await eraser.erase_tenant(source.tenant, by="a test")
    assert await actions(running, source) == []
