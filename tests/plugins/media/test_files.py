"""Files over HTTP: taken, opened by links, deleted; by those who may, and by nobody else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from chatnation.core.auth.permissions import RoleName
from chatnation.core.storage.erasure import Eraser
from chatnation.plugins.audit.plugin import AuditPlugin
from chatnation.plugins.dashboard.plugin import DashboardPlugin
from chatnation.plugins.media.settings import MediaTenantSettings
from chatnation.testing import FakeClock, MakeApp, RunningApp
from tests.plugins.media.samples import HTML, PDF, PLUGINS, PNG, path_of, signed_in, upload


def kept_files(running: RunningApp) -> list[Path]:
    return [path for path in (running.app.settings.data_dir / "media").rglob("*") if path.is_file()]


async def test_an_upload_comes_back_byte_for_byte_by_its_link_to_whoever_has_it(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS)
    source = await running.source()
    client = await signed_in(running, source)
    answer = await upload(client, name="my photo ü.png", purpose="inbox")
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["filename"], told["content_type"], told["size"]) == ("my photo ü.png", "image/png", len(PNG))
    stranger = await running.client()
    opened = await stranger.get(path_of(told["url"]))
    assert opened.content == PNG
    assert opened.headers["content-type"] == "image/png"
    assert opened.headers["content-disposition"].startswith("inline; ")
    assert "filename*=UTF-8''my%20photo%20%C3%BC.png" in opened.headers["content-disposition"]
    (path,) = kept_files(running)
    assert path.parent.name == str(source.tenant.id)
    assert "photo" not in path.name
    assert path.stat().st_mode & 0o777 == 0o600
    (listed,) = (await client.get("/api/media")).json()["items"]
    assert (listed["filename"], listed["purpose"], listed["times_opened"]) == ("my photo ü.png", "inbox", 1)
    assert listed["uploaded_by"] == "Somebody"


async def test_what_a_browser_could_take_for_a_page_of_ours_is_kept_from_being_one(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS)
    client = await signed_in(running, await running.source())
    for content, name in ((PDF, "a.pdf"), (b"name,amount\n", "a.csv")):
        opened = await client.get(path_of((await upload(client, content, name)).json()["url"]))
        assert opened.headers["content-disposition"].startswith("attachment; ")
        assert opened.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in opened.headers["content-security-policy"]
        assert "default-src 'none'" in opened.headers["content-security-policy"]
    picture = path_of((await upload(client)).json()["url"])
    assert (await client.get(f"{picture}?download")).headers["content-disposition"].startswith("attachment")


async def test_a_file_that_is_not_what_it_says_or_too_large_or_empty_is_refused_and_not_kept(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS, plugin_settings={"media": {"max_bytes": 10_000}})
    client = await signed_in(running, await running.source())
    for answer, status, code in (
        (await upload(client, HTML, "a.png"), 415, "type_refused"),
        (await upload(client, PNG + b"\0" * 10_000), 413, "file_too_large"),
        (await upload(client, PNG + b"\0" * 1_000_000), 413, "body_too_large"),
        (await upload(client, b""), 422, "file_empty"),
        (await upload(client, purpose="x" * 51), 422, "invalid_request"),
        (await client.post("/api/media/upload", json={"file": "x"}), 415, "unsupported_media_type"),
        (await client.post("/api/media/upload", files={"other": ("a", b"x")}), 422, "file_missing"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert kept_files(running) == []
    assert (await client.get("/api/media")).json()["items"] == []


async def test_a_file_larger_than_other_bodies_is_taken_where_the_operator_says_so(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS, plugin_settings={"media": {"max_bytes": 30_000_000}})
    client = await signed_in(running, await running.source())
    large = PNG + bytes(15_000_000)
    told = (await upload(client, large)).json()
    assert told["size"] == len(large)
    assert (await client.get(path_of(told["url"]))).content == large


async def test_parts_of_a_file_are_sent_as_players_ask_for_them(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS)
    client = await signed_in(running, await running.source())
    path = path_of((await upload(client)).json()["url"])
    size = len(PNG)
    for asked, expected, content_range in (
        ("bytes=0-9", PNG[:10], f"bytes 0-9/{size}"),
        ("bytes=100-", PNG[100:], f"bytes 100-{size - 1}/{size}"),
        ("bytes=-7", PNG[-7:], f"bytes {size - 7}-{size - 1}/{size}"),
        (f"bytes=5-{size * 2}", PNG[5:], f"bytes 5-{size - 1}/{size}"),
    ):
        answer = await client.get(path, headers={"Range": asked})
        assert (answer.status_code, answer.headers["content-range"]) == (206, content_range)
        assert answer.content == expected
        assert answer.headers["content-length"] == str(len(expected))
    for whole in ("bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=9-3"):
        answer = await client.get(path, headers={"Range": whole})
        assert (answer.status_code, answer.content) == (200, PNG)
    for beyond in (f"bytes={size}-", "bytes=-0"):
        answer = await client.get(path, headers={"Range": beyond})
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{size}")


async def test_a_copy_is_asked_about_and_not_sent_again(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS)
    client = await signed_in(running, await running.source())
    path = path_of((await upload(client)).json()["url"])
    head = await client.head(path)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(PNG)))
    etag = head.headers["etag"]
    again = await client.get(path, headers={"If-None-Match": f'"x", {etag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert (await client.get(path, headers={"If-Modified-Since": head.headers["last-modified"]})).status_code == 304
    part = await client.get(path, headers={"Range": "bytes=0-0", "If-Range": etag})
    assert part.status_code == 206
    assert (await client.get(path, headers={"Range": "bytes=0-0", "If-Range": '"older"'})).status_code == 200


async def test_a_link_ends_and_none_but_ours_opens_anything(make_app: MakeApp) -> None:
    clock = FakeClock()
    running = await make_app(*PLUGINS, clock=clock)
    source = await running.source()
    client = await signed_in(running, source)
    told = (await upload(client)).json()
    link = (await client.post(f"/api/media/{told['id']}/link", json={"seconds": 60})).json()["url"]
    stranger = await running.client()
    ticket = path_of(link).split("/")[2]
    for forged in (ticket[:-2] + "AA", ticket[1:], ticket.swapcase(), "x", told["id"], ticket + "=", "A" * 56):
        assert (await stranger.get(f"/media/{forged}")).status_code == 404, forged
    assert (await stranger.get(f"/media/{ticket}")).status_code == 200
    clock.move(timedelta(seconds=61))
    late = await stranger.get(path_of(link))
    assert (late.status_code, late.json()["code"]) == (410, "link_expired")
    assert (await stranger.get(path_of(told["url"]))).status_code == 200
    too_long = await client.post(f"/api/media/{told['id']}/link", json={"seconds": 40 * 86_400})
    assert (too_long.status_code, too_long.json()["code"]) == (422, "link_too_long")


async def test_a_link_of_one_tenant_never_opens_a_file_of_another(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS)
    one, other = await running.source(), await running.source()
    mine, theirs = await signed_in(running, one), await signed_in(running, other)
    told = (await upload(mine)).json()
    async with running.app.storage.system("move a file, behind the product's back") as connection:
        await connection.execute(text("UPDATE media.files SET tenant_id = :other"), {"other": other.tenant.id})
    assert (await mine.get(path_of(told["url"]))).status_code == 404
    async with running.app.storage.system("and back") as connection:
        await connection.execute(text("UPDATE media.files SET tenant_id = :one"), {"one": one.tenant.id})
    assert (await mine.get(path_of(told["url"]))).status_code == 200
    for method, path, body in (
        ("GET", f"/api/media/{told['id']}", None),
        ("POST", f"/api/media/{told['id']}/link", {}),
        ("DELETE", f"/api/media/{told['id']}", None),
        ("GET", f"/settings/media/{told['id']}", None),
        ("POST", f"/settings/media/{told['id']}/delete", None),
    ):
        answer = await theirs.request(method, path, json=body)
        assert answer.status_code in {303, 404}, (method, path)
    assert (await theirs.get("/api/media")).json()["items"] == []
    assert (await mine.get(path_of(told["url"]))).status_code == 200


async def test_a_deleted_file_is_gone_at_once_and_from_the_disk_soon(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS)
    client = await signed_in(running, await running.source())
    told = (await upload(client)).json()
    assert (await client.delete(f"/api/media/{told['id']}")).status_code == 204
    assert (await client.get(path_of(told["url"]))).status_code == 404
    assert (await client.delete(f"/api/media/{told['id']}")).status_code == 404
    await running.run_jobs()
    assert kept_files(running) == []
    async with running.app.storage.system("look at the log") as connection:
        actions = list(await connection.scalars(text("SELECT action FROM audit.records ORDER BY id")))
    assert actions == ["media.file.uploaded", "media.file.deleted"]


@pytest.mark.parametrize("plugin_runs", [True, False], ids=["while it runs", "while it is switched off"])
async def test_the_files_of_an_erased_tenant_are_removed_after_the_commit_and_no_others(
    make_app: MakeApp, plugin_runs: bool
) -> None:
    running = await make_app(*PLUGINS)
    one, other = await running.source(), await running.source()
    await upload(await signed_in(running, one))
    stays = (await upload(await signed_in(running, other))).json()
    app = running.app if plugin_runs else (await make_app(DashboardPlugin, AuditPlugin, like=running)).app
    eraser = Eraser(app.storage, app.hooks, app.inventory)

    class Interrupted(Exception):
        pass

    async def interrupt(*_: object) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        await eraser.erase_tenant(one.tenant, by="a test", then=interrupt)
    await running.run_jobs()
    assert len(kept_files(running)) == 2
    await eraser.erase_tenant(one.tenant, by="a test")
    async with running.app.storage.system("the schedule is due") as connection:
        await running.app.jobs.enqueue(connection, "media.remove_doomed", {})
    await running.run_jobs()
    (left,) = kept_files(running)
    assert left.parent.name == str(other.tenant.id)
    assert (await (await running.client()).get(path_of(stays["url"]))).status_code == 200


async def test_files_are_deleted_when_their_tenant_does_not_want_them_any_longer(make_app: MakeApp) -> None:
    clock = FakeClock()
    running = await make_app(*PLUGINS, clock=clock)
    tidy, keeps = await running.source(), await running.source()
    await upload(await signed_in(running, tidy))
    await upload(await signed_in(running, keeps))
    await running.app.tenant_settings.put(tidy.tenant.id, "media", MediaTenantSettings(retention_days=30))
    for days, left in ((29, 2), (2, 1)):
        clock.move(timedelta(days=days))
        async with running.app.storage.system("the schedule is due") as connection:
            await running.app.jobs.enqueue(connection, "media.delete_old", {})
        await running.run_jobs()
        assert len(kept_files(running)) == left


async def test_an_upload_that_was_cut_off_leaves_nothing_in_the_store(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    running = await make_app(*PLUGINS, clock=clock)
    client = await signed_in(running, await running.source())

    async def crash(*_: object, **__: object) -> None:
        raise RuntimeError("the power goes off, for this test")

    with monkeypatch.context() as patched:
        patched.setattr("chatnation.plugins.media.actions.insert_file", crash)
        assert (await upload(client)).status_code == 500
    assert len(kept_files(running)) == 1
    clock.move(timedelta(hours=2))
    async with running.app.storage.system("the schedule is due") as connection:
        await running.app.jobs.enqueue(connection, "media.remove_doomed", {})
    await running.run_jobs()
    assert kept_files(running) == []


async def test_roles_may_do_what_their_permissions_say(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS)
    source = await running.source()
    told = (await upload(await signed_in(running, source))).json()
    for role, sees, uploads, deletes in (
        (RoleName.AGENT, 200, 201, 403),
        (RoleName.AUDITOR, 200, 403, 403),
        (RoleName.ADMIN, 200, 201, 204),
    ):
        client = await signed_in(running, source, role)
        assert (await client.get("/api/media")).status_code == sees
        assert (await upload(client)).status_code == uploads
        assert (await client.delete(f"/api/media/{told['id']}")).status_code == deletes
    stranger = await running.client()
    assert (await upload(stranger)).status_code == 401


async def test_a_form_of_another_site_uploads_nothing(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS)
    client = await signed_in(running, await running.source())
    del client.headers["X-CSRF-Token"]
    answer = await upload(client)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert kept_files(running) == []


async def test_a_tenant_that_does_without_the_plugin_or_is_switched_off_hands_nothing_out(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS)
    source = await running.source()
    path = path_of((await upload(await signed_in(running, source))).json()["url"])
    stranger = await running.client()
    await running.app.switches.switch(source.tenant.id, "media", enabled=False)
    assert (await stranger.get(path)).status_code == 404
    await running.app.switches.switch(source.tenant.id, "media", enabled=True)
    assert (await stranger.get(path)).status_code == 200
    async with running.app.storage.system("switch a tenant off") as connection:
        await connection.execute(text("UPDATE tenants SET active = false"))
    assert (await stranger.get(path)).status_code == 404


async def test_the_page_takes_a_file_shows_it_and_deletes_it(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS)
    client = await signed_in(running, await running.source())
    html = {"Accept": "text/html"}
    assert "No files" in (await client.get("/settings/media", headers=html)).text
    await client.post("/settings/media", files={"file": ("<b>x.png", PNG)}, headers=html)
    page = await client.get("/settings/media", headers=html)
    assert "bx.png" in page.text
    file_id = (await client.get("/api/media")).json()["items"][0]["id"]
    opened = await client.get(f"/settings/media/{file_id}", headers=html, follow_redirects=True)
    assert opened.content == PNG
    page_of_scripts = {"file": ("a.html", HTML)}
    refused = await client.post("/settings/media", files=page_of_scripts, headers=html, follow_redirects=True)
    assert "are not taken" in refused.text
    gone = await client.post(f"/settings/media/{file_id}/delete", headers=html, follow_redirects=True)
    assert "is deleted" in gone.text
    assert "No files" in gone.text


async def test_the_document_of_the_api_tells_of_the_form(make_app: MakeApp) -> None:
    running = await make_app(*PLUGINS)
    document = (await (await running.client()).get("/api/openapi.json")).json()
    content = document["paths"]["/api/media/upload"]["post"]["requestBody"]["content"]
    assert content["multipart/form-data"]["schema"]["$ref"].endswith("UploadForm")
