"""A zip of everything that is kept of a tenant."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

from sqlalchemy import text

from chatnation.core.storage.tenant_export import TenantExporter
from chatnation.testing import MakeApp, RunningApp, Source, identify, page_view, track


async def exported(running: RunningApp, source: Source, folder: Path) -> zipfile.ZipFile:
    target = folder / "export.zip"
    await running.app.services.get(TenantExporter).export(source.tenant, target)
    return zipfile.ZipFile(target)


async def test_an_export_has_every_row_of_every_table_twice_and_none_of_another_tenant(
    make_app: MakeApp, tmp_path: Path
) -> None:
    running = await make_app()
    source, other = await running.source("Ours"), await running.source("Theirs")
    person = await running.person(source.tenant)
    await running.person(other.tenant)
    await running.ingest_and_drain(
        [page_view("/a"), track("paid", {"text": 'ü\n"x"\\'}), identify("A001234567Z", {"name": "=1+1"})], source
    )
    await running.ingest_and_drain([identify("B009999999Z", {"name": "Stranger"})], other)
    archive = await exported(running, source, tmp_path)
    assert archive.testzip() is None
    manifest = json.loads(archive.read("manifest.json"))
    rows = {entry["table"]: entry["rows"] for entry in manifest["tables"]}
    assert rows["events"] == 3
    assert rows["tenants"] == 1
    assert rows["sessions.sessions"] >= 1
    async with running.app.storage.system("count what there is") as connection:
        query = text("SELECT count(*) FROM identities WHERE tenant_id = :tenant")
        assert rows["identities"] == await connection.scalar(query, {"tenant": source.tenant.id})
    for entry in manifest["tables"]:
        folder, _, name = entry["table"].rpartition(".")
        path = f"{folder or 'core'}/{name}"
        assert len(json.loads(archive.read(f"{path}.json"))) == entry["rows"], path
        lines = list(csv.reader(io.StringIO(archive.read(f"{path}.csv").decode())))
        assert len(lines) == entry["rows"] + 1, path
    users = json.loads(archive.read("core/users.json"))
    assert [user["email"] for user in users] == [person.email]
    whole = b"".join(archive.read(name) for name in archive.namelist())
    assert b"A001234567Z" in whole
    assert b"B009999999Z" not in whole
    assert b"Theirs" not in whole
    stored = {event["event_name"]: event["properties"] for event in json.loads(archive.read("core/events.json"))}
    assert stored["paid"]["text"] == 'ü\n"x"\\'


async def test_nothing_in_an_export_opens_a_door(make_app: MakeApp, tmp_path: Path) -> None:
    running = await make_app()
    source = await running.source()
    await running.person(source.tenant)
    archive = await exported(running, source, tmp_path)
    withheld = {
        (entry["table"], column)
        for entry in json.loads(archive.read("manifest.json"))["tables"]
        for column in entry["withheld"]
    }
    assert {("api_keys", "hash"), ("login_sessions", "token_hash"), ("email.outbox", "sealed_values")} <= withheld
    async with running.app.storage.system("look for hashes") as connection:
        query = text(
            "SELECT encode(hash, 'hex') FROM api_keys UNION ALL SELECT encode(token_hash, 'hex') FROM login_sessions"
            " UNION ALL SELECT password_hash FROM users"
        )
        hashes = list(await connection.scalars(query))
    whole = b"".join(archive.read(name) for name in archive.namelist())
    assert len(hashes) == 3
    assert not [found for found in hashes if found.encode() in whole]


async def test_a_cell_that_a_spreadsheet_would_run_is_defused_in_csv_and_exact_in_json(
    make_app: MakeApp, tmp_path: Path
) -> None:
    running = await make_app()
    source = await running.source("=cmd|' /C calc'!A0")
    archive = await exported(running, source, tmp_path)
    (row,) = csv.DictReader(io.StringIO(archive.read("core/projects.csv").decode()))
    assert row["name"] == "'=cmd|' /C calc'!A0"
    (project,) = json.loads(archive.read("core/projects.json"))
    assert project["name"] == "=cmd|' /C calc'!A0"


async def test_progress_tells_of_rows_and_ends_below_the_whole(make_app: MakeApp, tmp_path: Path) -> None:
    running = await make_app()
    source = await running.source()
    await running.ingest_and_drain([page_view(f"/{number}") for number in range(20)], source)
    told: list[tuple[int, int, str]] = []

    async def progress(done: int, total: int, what: str) -> None:
        told.append((done, total, what))

    await running.app.services.get(TenantExporter).export(source.tenant, tmp_path / "a.zip", progress)
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert all(done <= total for done, total, _ in told)
    assert "events" in {what for _, _, what in told}
