"""Whoever may see reports and no persons reads nowhere who somebody is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import text

from chatnation.core.auth.keys import KeyType, create_key
from chatnation.core.auth.permissions import RoleName
from chatnation.plugins.dashboard.api import AnalyticsPage
from chatnation.testing.apps import MakeApp, RunningApp
from chatnation.testing.events import identify, page_view, track, whatsapp_message
from tests.acceptance.permission_table import NEEDED
from tests.acceptance.world import signed_in, with_ids
from tests.plugins.bundled import bundled_plugins

USER, NAME, MAIL, PHONE = "A004711Z", "Wanjiru Kamau", "wanjiru@example.org", "254700471100"
WEEK = {"period": "7d"}
STEPS: dict[str, Any] = {"range": WEEK, "steps": [{"name": "Came", "select": {"events": ["page_view"]}}]}
NAMING: list[dict[str, Any]] = [
    {"kind": "breakdown", "range": WEEK, "by": ["user_id"]},
    {"kind": "breakdown", "range": WEEK, "by": ["person.name"]},
    {"kind": "funnel_actors", "funnel": STEPS},
    {
        "kind": "timeseries",
        "range": WEEK,
        "series": [{"name": "a"}],
        "filters": [{"field": "user_id", "values": [USER]}],
    },
]


async def told(app: RunningApp) -> tuple[Any, dict[str, str]]:
    """A tenant with a person on a site and on WhatsApp, and the ids of what they did."""
    source = await app.source()
    visit = {"visitor": "one", "session": "one"}
    batch = [
        page_view("/start", **visit),
        identify(USER, {"name": NAME, "email": MAIL, "phone": PHONE}, **visit),
        track("csat_submitted", {"rating": 5, "feedback": "Good", "email": MAIL, "payer": {"phone": PHONE}}, **visit),
        whatsapp_message(PHONE, "habari"),
    ]
    await app.ingest_and_drain(batch, source)
    async with app.app.storage.tenant(source.tenant.id) as connection:
        row = (await connection.execute(text("SELECT message_id, person_id, timestamp FROM events LIMIT 1"))).one()
        session = await connection.scalar(text("SELECT session_id FROM sessions.sessions LIMIT 1"))
        persons = await connection.scalars(text("SELECT leaf_id FROM identities"))
        ids = {"message": str(row.message_id), "session": str(session), "at": row.timestamp.isoformat()}
        ids["persons"] = " ".join(map(str, persons))
    return source, ids


def paths(app: RunningApp, ids: dict[str, str]) -> Iterator[str]:
    """Everything that those may read who see and export reports."""
    pages = [getattr(entry.item.handler, "__self__", None) for entry in app.app.resources.pages]
    cards = {page._path: list(page._cards) for page in pages if isinstance(page, AnalyticsPage)}
    for (method, template), permission in NEEDED.items():
        if method != "GET" or permission not in ("analytics.view", "analytics.export"):
            continue
        if template == "/api/query" or template == "/api/query/export":
            question = {"kind": "events", "range": WEEK}
            yield f"{template}?q={json.dumps(question)}"
        elif "{card}" in template:
            base = template.removesuffix("/{card}.csv").removesuffix("/parts/{card}")
            yield from (template.replace("{card}", card) + "?template=mri&period=7d" for card in cards[base])
        elif "{funnel" not in template:
            yield with_ids(template, ids)


async def test_who_may_not_see_persons_reads_nowhere_who_somebody_is(make_app: MakeApp) -> None:
    app = await make_app(*bundled_plugins())
    app.app.web.drain()  # Event streams answer and end, instead of staying open.
    source, ids = await told(app)
    async with app.app.storage.system("a key for a test") as connection:
        key = await create_key(connection, source.tenant.id, "Reports", KeyType.READ)
    client = await app.client(headers={"Authorization": f"Bearer {key.secret}"})
    secrets = [USER, NAME, MAIL, PHONE, PHONE[3:], *ids["persons"].split()]
    read = 0
    event = f"/events/{ids['message']}?at={ids['at'].replace('+', '%2B')}"
    for path in (*paths(app, ids), event, f"/events/rows?q={PHONE}"):
        answer = await client.get(path)
        assert answer.status_code < 500, path
        assert not [secret for secret in secrets if secret in answer.text], path
        read += answer.status_code == 200
    assert read > 80
    for question in NAMING:
        answer = await client.post("/api/query", json=question)
        assert (answer.status_code, answer.json()["code"]) == (403, "names_persons"), answer.text
        assert "persons.view" in answer.json()["detail"]
        exported = await client.post("/api/query/export", json=question)
        assert exported.status_code == 403
    people = await client.get("/funnel/parts/people?template=mri&period=7d")
    assert "persons.view" in people.text

    auditor = await signed_in(app, await app.person(source.tenant, RoleName.AUDITOR))
    for question in NAMING:
        assert (await auditor.post("/api/query", json=question)).status_code == 200
    assert USER in (await auditor.get("/api/events")).text
    assert USER in (await auditor.get("/sessions")).text
