"""Whatever leaves the product as a download is written down: who took it, what it was, and how much."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
from sqlalchemy import text

from chatnation.plugins.dashboard.api import AnalyticsPage
from chatnation.testing.apps import MakeApp, RunningApp, Source
from chatnation.testing.events import identify, page_view, track
from tests.acceptance.permission_table import NEEDED
from tests.acceptance.world import signed_in
from tests.plugins.bundled import bundled_plugins

SECRET = "Wanjiru-4711"
QUESTION: dict[str, Any] = {"kind": "breakdown", "range": {"period": "7d"}, "by": ["properties.secret"]}
EXPORTS = sorted(entry for entry, permission in NEEDED.items() if permission == "analytics.export")


async def records(app: RunningApp, source: Source) -> list[Any]:
    """What the log has of downloads, the oldest first."""
    async with app.app.storage.tenant(source.tenant.id) as connection:
        rows = await connection.execute(
            text("SELECT * FROM audit.records WHERE action LIKE 'report.%' OR action = 'person.exported' ORDER BY id")
        )
        return list(rows)


def cards(app: RunningApp, path: str) -> Iterator[str]:
    """The cards of the page whose downloads have this path."""
    for entry in app.app.resources.pages:
        page = getattr(entry.item.handler, "__self__", None)
        if isinstance(page, AnalyticsPage) and f"/{entry.item.path}".endswith(path):
            yield from page._cards


async def download(app: RunningApp, client: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    """What a route of downloads gives; of a page the first card that has a table."""
    if method == "POST":
        return await client.post(path, json=QUESTION)
    if path == "/api/query/export":
        return await client.get(path, params={"q": json.dumps(QUESTION)})
    answer = await client.get(path) if "{card}" not in path else None
    for card in cards(app, path):
        answer = await client.get(path.format(card=card), params={"template": "mri", "period": "7d"})
        if answer.status_code == 200:
            break
    assert answer is not None, f"{path} is of no page; say in tests/acceptance/test_exports.py how it is asked"
    return answer


async def test_every_download_leaves_a_record_of_who_took_what_and_how_much(make_app: MakeApp) -> None:
    app = await make_app(*bundled_plugins())
    source = await app.source()
    visit = {"visitor": "one", "session": "one"}
    events = [page_view("/a", **visit), identify(SECRET, {"name": SECRET}, **visit)]
    await app.ingest_and_drain([*events, track("x", {"secret": SECRET}, **visit)], source)
    person = await app.person(source.tenant)
    client = await signed_in(app, person)
    for method, path in EXPORTS:
        before = len(await records(app, source))
        answer = await download(app, client, method, path)
        assert answer.status_code == 200, (path, answer.text)
        (record,) = (await records(app, source))[before:]
        assert (record.action, record.actor_name) == ("report.table.exported", person.email), path
        assert record.resource_id, path
        assert {"question", "filters"} & record.details.keys(), path
        rows = [line for line in answer.text.splitlines() if line][1:]
        assert record.details["rows"] == len(rows), path
        assert SECRET not in json.dumps([record.details, record.resource_id]), path
    assert len(EXPORTS) > 15


async def test_a_long_download_is_written_down_when_it_ends_too_and_a_long_question_is_shortened(
    make_app: MakeApp,
) -> None:
    app = await make_app(*bundled_plugins(), settings={"query_export_rows": 3})
    source = await app.source()
    client = await signed_in(app, await app.person(source.tenant))
    await app.ingest_and_drain([track("x", {"n": number}) for number in range(5)], source)
    answer = await client.post("/api/query/export", json={"kind": "events", "range": {"period": "7d"}})
    assert answer.status_code == 200
    begun, ended = await records(app, source)
    assert (begun.action, ended.action) == ("report.table.exported", "report.table.export_ended")
    assert begun.details["question"]["range"]["timezone"] == source.tenant.timezone
    assert "rows" not in begun.details
    assert "limit" not in begun.details["question"], "it is not heeded"
    assert ended.details == {"rows": 3, "cut": True}

    conditions = [{"field": "city", "values": [f"{number:03}" + 200 * "x" for number in range(200)]}]
    answer = await client.post("/api/query/export", json={**QUESTION, "filters": conditions})
    assert answer.status_code == 200
    *_, record = await records(app, source)
    assert record.details["question"].keys() == {"kind", "range", "source", "shortened"}
    assert len(json.dumps(record.details)) < 1_000
