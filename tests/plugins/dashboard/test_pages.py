"""The dashboard's own pages, on a running instance."""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx
import pytest

from chatnation import DeadLetters
from chatnation.core.auth.permissions import RoleName
from chatnation.core.ids import uuid7
from chatnation.core.ingestion.event import Delivery
from chatnation.core.ingestion.ledger import Tally, add_to_ledger, minute_of
from chatnation.core.ingestion.ledger_copy import LedgerCopier
from chatnation.testing.apps import MakeApp, RunningApp, Source
from chatnation.testing.events import page_view, track

HTML = {"Accept": "text/html"}


@dataclass(frozen=True)
class Desk:
    """A running instance with a project, and its admin at work."""

    app: RunningApp
    source: Source
    client: httpx.AsyncClient

    async def form(self, path: str, page: str, **fields: str) -> httpx.Response:
        """Send a form of `page`, with its token."""
        text = (await self.client.get(page)).text
        token = re.search(r'name="csrf_token" value="([^"]+)"', text)
        assert token
        return await self.client.post(path, data={"csrf_token": token[1], **fields})


@pytest.fixture
async def desk(make_app: MakeApp) -> Desk:
    app = await make_app()
    source = await app.source("Tax app")
    return Desk(app, source, await app.client(await app.person(source.tenant)))


async def test_the_first_page_is_the_first_entry_of_ones_menu(desk: Desk) -> None:
    answer = await desk.client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/overview")
    agent = await desk.app.client(await desk.app.person(desk.source.tenant, RoleName.AGENT))
    assert "Nothing to show you yet" in (await agent.get("/")).text


async def test_every_page_of_the_menu_opens_and_says_where_one_is(desk: Desk) -> None:
    paths = set(re.findall(r'class="nav-link" href="([^"]+)"', (await desk.client.get("/overview")).text))
    assert {"/overview", "/setup", "/settings/ingestion", "/settings/dead-letters"} <= paths
    for path in paths:
        page = await desk.client.get(path, headers=HTML, follow_redirects=True)
        assert page.status_code == 200, path
        assert re.search(rf'href="{path}(\?[^"]*)?"[^>]*aria-current="page"', page.text), path
        assert not re.search(r"\son\w+=|\sstyle=|<style", page.text), path


async def test_a_new_key_is_shown_once_works_and_can_be_revoked(desk: Desk) -> None:
    made = await desk.form("/setup/keys", "/setup", name="website", project=desk.source.project.slug)
    key = re.search(r"cn_write_[A-Za-z0-9]{32}", made.text)
    assert key
    assert f"chatnation.init(&#34;{key[0]}&#34;" in made.text
    assert key[0] not in (await desk.client.get("/setup")).text
    sent = await desk.client.post("/v1/capture", json={"batch": [track("hello")]}, headers={"X-Write-Key": key[0]})
    assert sent.status_code == 200
    found = re.findall(r'action="(/setup/keys/\d+/revoke)"', (await desk.client.get("/setup")).text)
    assert found
    revoked = await desk.form(found[0], "/setup", project=desk.source.project.slug)
    assert revoked.status_code == 303
    assert "is revoked" in (await desk.client.get(revoked.headers["location"])).text


async def test_setup_says_whether_events_arrive(desk: Desk) -> None:
    address = f"/api/dashboard/setup?project={desk.source.project.slug}"
    assert (await desk.client.get(address)).json()["done"] is False
    assert "data-wait-state" not in (await desk.client.get("/setup")).text
    await desk.app.ingest_and_drain([page_view("/first")], desk.source)
    status = (await desk.client.get(address)).json()
    assert (status["done"], status["event_name"], status["page_path"]) == (True, "page_view", "/first")
    assert 'data-wait-state="done"' in (await desk.client.get("/setup")).text
    assert (await desk.client.get("/api/dashboard/setup?project=elsewhere")).status_code == 404


async def test_incoming_events_balance(desk: Desk) -> None:
    events = [track("hello"), track("hello"), {"event_name": "", "event_type": "track"}]
    assert (await desk.app.capture(events, desk.source)).status_code == 200
    await desk.app.drain()
    app = desk.app.app
    await LedgerCopier(app.redis, app.storage, app.settings.stream_partitions).copy()
    page = await desk.client.get("/settings/ingestion?span=1h")
    assert "Tax app" in page.text
    download = (await desk.client.get("/settings/ingestion.csv?span=1h")).text.lstrip("\ufeff").splitlines()
    assert download[0] == "time,received,stored,duplicate,rejected,dead,queued,difference"
    assert sum(int(line.split(",")[2]) for line in download[1:]) == 2
    assert (await desk.client.get("/settings/ingestion?span=9y")).status_code == 422


async def test_a_dead_letter_is_shown_replayed_and_dropped(desk: Desk) -> None:
    letters = desk.app.app.services.get(DeadLetters)
    for number in range(2):
        await bury(desk, letters, f"<b>reason {number}</b>")
    first, second = (letter.id for letter in await letters.list(desk.source.tenant.id))
    page = (await desk.client.get("/settings/dead-letters")).text
    assert "&lt;b&gt;reason 1&lt;/b&gt;" in page
    assert "hello" in (await desk.client.get(f"/settings/dead-letters/{first}")).text
    nothing = await desk.form("/settings/dead-letters/drop", "/settings/dead-letters")
    assert nothing.status_code == 422
    await desk.form("/settings/dead-letters/drop", "/settings/dead-letters", id=str(second))
    assert [letter.id for letter in await letters.list(desk.source.tenant.id)] == [first]
    await desk.form("/settings/dead-letters/replay", "/settings/dead-letters", all="1")
    assert await letters.list(desk.source.tenant.id) == []
    other = await desk.app.client(await desk.app.person((await desk.app.source("Soko")).tenant))
    await bury(desk, letters, "mine")
    mine = (await letters.list(desk.source.tenant.id))[0].id
    assert (await other.get(f"/settings/dead-letters/{mine}")).status_code == 404


async def bury(desk: Desk, letters: DeadLetters, reason: str) -> None:
    at = int(desk.app.app.clock.now().timestamp() * 1000)
    project = desk.source.project
    delivery = Delivery(uuid7().bytes, project.tenant_id, project.id, at, 1, b'{"batch":[{"event_name":"hello"}]}')
    await letters.bury(delivery, reason)
    async with desk.app.app.storage.system("count a dead letter in a test") as connection:
        await add_to_ledger(connection, [Tally(project.tenant_id, project.id, minute_of(at), "dead", 1)])


async def test_pages_about_the_instance_need_their_permission(desk: Desk) -> None:
    agent = await desk.app.client(await desk.app.person(desk.source.tenant, RoleName.AGENT))
    for path in (
        "/setup",
        "/settings/ingestion",
        "/settings/dead-letters",
        "/settings/plugins",
        "/overview",
    ):
        assert (await agent.get(path)).status_code == 403, path
