"""What the keywords plugin does, from the message to the page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from chatnation_keywords.plugin import KeywordsPlugin
from chatnation_keywords.settings import KeywordsTenantSettings

from chatnation.testing import FakeClock, MakeApp, RunningApp, Source, track, whatsapp_message

PHONE = "254700000001"


async def counts(running: RunningApp, source: Source, query: str = "") -> dict[str, Any]:
    client = await running.client(await running.person(source.tenant))
    answer = (await client.get(f"/api/keywords{query}")).json()
    return {entry["keyword"]: entry["messages"] for entry in answer["keywords"]}


async def test_inbound_messages_are_counted_once_a_keyword(make_app: MakeApp) -> None:
    running = await make_app(KeywordsPlugin)
    source = await running.source()
    batch = [
        whatsapp_message(PHONE, "My PIN, my pin!"),
        whatsapp_message(PHONE, "pin and OTP"),
        whatsapp_message(PHONE, "Send your PIN", sent=True),
        track("message.received", {"text": "pin"}),
    ]
    await running.ingest_and_drain(batch, source)
    await running.ingest_and_drain(batch, source)
    assert await counts(running, source) == {"pin": 2, "otp": 1}


async def test_each_tenant_has_a_list_of_its_own(make_app: MakeApp) -> None:
    running = await make_app(KeywordsPlugin)
    mine, theirs = await running.source(), await running.source()
    chosen = KeywordsTenantSettings(keywords=("refund", "nil return"))
    await running.app.tenant_settings.put(mine.tenant.id, "keywords", chosen)
    for source in (mine, theirs):
        await running.ingest_and_drain([whatsapp_message(PHONE, "A nil return by PIN")], source)
    assert await counts(running, mine) == {"nil return": 1}
    assert await counts(running, theirs) == {"nil": 1, "pin": 1}


async def test_only_the_days_asked_for_are_counted(make_app: MakeApp) -> None:
    running = await make_app(KeywordsPlugin)
    source = await running.source()
    long_ago = datetime.now(UTC) - timedelta(days=20)
    await running.ingest_and_drain(
        [whatsapp_message(PHONE, "pin", at=long_ago), whatsapp_message(PHONE, "pin")], source
    )
    assert await counts(running, source) == {"pin": 2}
    assert await counts(running, source, "?days=7") == {"pin": 1}


async def test_the_operator_limits_how_much_of_a_text_is_looked_at(make_app: MakeApp) -> None:
    running = await make_app(KeywordsPlugin, plugin_settings={"keywords": {"longest_text": 10}})
    source = await running.source()
    await running.ingest_and_drain([whatsapp_message(PHONE, "pin 7890 otp")], source)
    assert await counts(running, source) == {"pin": 1}


async def test_the_page_names_the_day_in_the_tenant_s_timezone(make_app: MakeApp) -> None:
    now = datetime.now(UTC).replace(hour=22, minute=30)
    running = await make_app(KeywordsPlugin, clock=FakeClock(now + timedelta(hours=1)))
    source = await running.source()
    await running.ingest_and_drain([whatsapp_message(PHONE, "pin <b>", at=now)], source)
    client = await running.client(await running.person(source.tenant))
    page = await client.get("/keywords")
    assert page.status_code == 200
    assert f"<td>pin</td><td>1</td><td>{(now + timedelta(hours=3)).date()}</td>" in page.text
    assert (await client.get("/keywords?days=none", headers={"Accept": "text/html"})).status_code == 422
