"""A whole tenant: exported, then deleted, with a receipt for whoever asked."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import anyio
import pytest

from chatnation.core.storage.erasure import Eraser
from chatnation.testing import MakeApp, page_view
from tests.plugins.danger_zone.test_danger_zone import API, HTML, PAGE, PLUGINS, acting, delete, rows


async def test_a_tenant_is_exported_by_a_job_and_its_file_is_nobodys_but_who_has_the_link(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS)
    source = await running.source()
    client = await acting(running, await running.person(source.tenant))
    await running.ingest_and_drain([page_view("/a")], source)
    assert (await client.get(f"{API}/export")).json()["state"] is None
    started = await client.post(f"{API}/export")
    assert (started.status_code, started.json()["state"]) == (202, "waiting")
    await running.run_jobs()
    told = (await client.get(f"{API}/export")).json()
    assert (told["state"], told["percent"]) == ("done", 100)
    stranger = await running.client()
    got = await stranger.get(told["url"][told["url"].index("/media/") :])
    assert got.headers["content-disposition"].startswith("attachment")
    archive = zipfile.ZipFile(io.BytesIO(got.content))
    assert [event["page_path"] for event in json.loads(archive.read("core/events.json"))] == ["/a"]
    assert "audit/records.json" in archive.namelist()
    assert (await client.get("/api/media")).json()["items"] == []
    page = await client.get(PAGE, headers=HTML)
    assert "Download" in page.text
    assert "Export again" in (await client.get(f"{PAGE}/export", headers=HTML)).text


async def test_a_deleted_tenant_is_gone_with_its_files_and_a_receipt_stays_for_whoever_has_the_link(
    make_app: MakeApp,
) -> None:
    running = await make_app(*PLUGINS)
    source, other = await running.source(), await running.source()
    tenant = source.tenant
    client = await acting(running, await running.person(tenant))
    stays = await running.client(await running.person(other.tenant))
    await running.ingest_and_drain([page_view("/a")], source)
    await running.ingest_and_drain([page_view("/b")], other)
    await client.post(f"{API}/export")
    await running.run_jobs()
    preview = (await client.get(f"{API}/preview/tenant/{tenant.slug}")).json()
    assert preview["counts"]["events"] == 1
    assert preview["counts"]["files"] == 1
    assert (await delete(client, "tenant", tenant.slug, "DELETE")).json()["code"] == "confirmation_wrong"
    asked = await delete(client, "tenant", tenant.slug, tenant.name)
    token = asked.json()["progress"]
    stranger = await running.client()
    assert (await stranger.get(f"{API}/deletions/{token}")).json()["state"] == "waiting"
    assert "Waiting to begin" in (await stranger.get(f"{PAGE}/deletions/{token}", headers=HTML)).text
    await running.run_jobs()
    work = (await stranger.get(f"{API}/deletions/{token}")).json()
    assert work["state"] == "done", work
    assert work["receipt"]["counts"]["events"] == 1
    assert f"Receipt {work['receipt']['id']}" in (await stranger.get(f"{PAGE}/deletions/{token}", headers=HTML)).text
    assert (await stranger.get(f"{API}/deletions/{token[:-1]}x")).status_code == 404
    with anyio.fail_after(10):  # Processes notice within a second.
        while (await client.get("/api/auth/me")).status_code != 401:
            await anyio.sleep(0.05)
    assert (await stays.get("/api/auth/me")).status_code == 200
    assert await rows(running, "SELECT tenant_id FROM events") == [(other.tenant.id,)]
    written = await rows(running, "SELECT action, details ->> 'tenant' FROM audit.records WHERE tenant_id IS NULL")
    assert written == [("danger_zone.tenant.deleted", tenant.slug)]
    folder: Path = running.app.settings.data_dir / "media"
    await running.run_jobs()
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert "TenantDeleted" in {type(event).__name__ for event in running.domain_events}


async def test_a_deletion_that_fails_says_so_and_leaves_everything(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await make_app(*PLUGINS)
    source = await running.source()
    client = await acting(running, await running.person(source.tenant))
    await running.ingest_and_drain([page_view("/a")], source)
    before = await rows(running, "SELECT count(*) FROM events")

    async def fail(*_: object, **__: object) -> None:
        from chatnation.core.storage.erasure import ErasureIncomplete

        raise ErasureIncomplete("The plugin shelf could not erase what it keeps, so nothing was erased.")

    monkeypatch.setattr(Eraser, "erase_tenant", fail)
    token = (await delete(client, "tenant", source.tenant.slug, source.tenant.name)).json()["progress"]
    await running.run_jobs()
    work = (await client.get(f"{API}/deletions/{token}")).json()
    assert work["state"] == "failed"
    assert "nothing was erased" in work["error"]
    assert await rows(running, "SELECT count(*) FROM events") == before
    assert "Nothing was deleted." in (await client.get(f"{PAGE}/deletions/{token}", headers=HTML)).text
