"""Every number of the API about the AI agent, against a recount."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random
from statistics import fmean
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest

from chatnation.plugins.ai_analytics.settings import AiAnalyticsTenantSettings
from chatnation.testing import MakeApp
from tests.plugins.ai_analytics.history import Recount, random_history
from tests.plugins.recounting import NOW, asking, bounds, events_behind, opened, stored

ask = asking("/api/ai-analytics")
PERIODS: list[dict[str, str]] = [
    {},
    {"period": "7d"},
    {"start_date": "2025-03-29", "end_date": "2025-03-31"},
    {"period": "90d", "granularity": "week"},
]


@pytest.mark.parametrize("timezone", ["Africa/Nairobi", "Europe/Berlin"])
async def test_every_number_equals_a_recount(make_app: MakeApp, timezone: str) -> None:
    app, source, client = await opened(make_app, timezone)
    said = random_history(Random(timezone), NOW)
    await stored(app, source, said)
    settings = AiAnalyticsTenantSettings(prices=("small = 2 / 4",), currency="KES")
    await app.app.tenant_settings.put(source.tenant.id, "ai_analytics", settings)
    for period in PERIODS:
        recount = Recount(said, *bounds(period, ZoneInfo(timezone)))
        await compare_figures(client, recount, period)
        await compare_breakdowns(client, recount, period)
        await compare_trends(client, recount, period)


async def compare_figures(client: httpx.AsyncClient, recount: Recount, period: dict[str, str]) -> None:
    stats = await ask(client, "stats", **period)
    classified, failed = len(recount.of("ai.classification")), len(recount.of("ai.error"))
    latencies, sure = (recount.numbers("ai.classification", key) for key in ("latency_ms", "confidence"))
    assert (stats["total_classifications"], stats["error_count"]) == (classified, failed)
    assert stats["error_rate"] == (pytest.approx(failed / (classified + failed)) if classified + failed else None)
    assert stats["avg_latency_ms"] == (pytest.approx(fmean(latencies)) if latencies else None)
    assert stats["p95_latency_ms"] == (pytest.approx(np.percentile(latencies, 95)) if latencies else None)
    assert stats["avg_confidence"] == (pytest.approx(fmean(sure)) if sure else None)
    assert stats["ignored_latencies"] == recount.unusable("ai.classification", "latency_ms")
    assert stats["ignored_confidences"] == recount.unusable("ai.classification", "confidence")
    met, handed_over = recount.handed_over()
    containment = await ask(client, "containment", **period)
    assert (containment["total_ai_persons"], containment["handed_off_persons"]) == (met, handed_over)
    assert containment["contained_persons"] == met - handed_over
    assert containment["containment_rate"] == (pytest.approx((met - handed_over) / met) if met else None)


async def compare_breakdowns(client: httpx.AsyncClient, recount: Recount, period: dict[str, str]) -> None:
    intents = await ask(client, "intents", **period)
    found = {row["intent"]: (row["count"], row["avg_confidence"], row["persons"]) for row in intents["data"]}
    assert found == {
        name: (count, pytest.approx(sure), people) for name, (count, sure, people) in recount.intents().items()
    }
    errors = await ask(client, "errors", **period)
    assert {row["error_type"]: (row["count"], row["recovered_count"]) for row in errors["data"]} == recount.errors()
    latency = await ask(client, "latency", **period)
    edges = (0, 100, 200, 500, 1000, float("inf"))
    numbers = recount.numbers("ai.classification", "latency_ms")
    expected = [sum(low <= value < high for value in numbers) for low, high in pairwise(edges)]
    assert [row["count"] for row in latency["data"]] == expected
    tokens = await ask(client, "tokens", **period)
    used = {row["model"]: row for row in tokens["data"] if row["model"] != "unknown"}
    for model, read, written in recount.models():
        assert (used[model]["prompt_tokens"], used[model]["completion_tokens"]) == (read, written)
        assert used[model]["cost"] == (pytest.approx((2 * read + 4 * written) / 1e6) if model == "small" else None)
    assert tokens["currency"] == "KES"


async def compare_trends(client: httpx.AsyncClient, recount: Recount, period: dict[str, str]) -> None:
    trend = await ask(client, "trends/classifications", **period)
    assert sum(row["classifications"] for row in trend["data"]) == len(recount.of("ai.classification"))
    assert trend["total_errors"] == len(recount.of("ai.error"))
    if period.get("granularity") != "week":
        zone = recount.start.tzinfo
        days: dict[str, int] = {}
        for one in recount.of("ai.classification"):
            day = one.at.astimezone(zone).date().isoformat()
            days[day] = days.get(day, 0) + 1
        assert {row["period"]: row["classifications"] for row in trend["data"] if row["classifications"]} == days
    resolved = await ask(client, "trends/agent-resolved", **period)
    chats = recount.of("chat.resolved")
    assert resolved["total_resolved"] == len(chats)
    assert resolved["active_agents"] == len({one.properties["agentId"] for one in chats})
    seconds = recount.numbers("chat.resolved", "resolution_time_seconds")
    times = await ask(client, "trends/resolution-time", **period)
    assert times["sample_count"] == len(seconds)
    assert times["p50"] == (pytest.approx(np.median(seconds)) if seconds else None)
    confidence = await ask(client, "trends/confidence", **period)
    assert sum(row["sample_count"] for row in confidence["data"]) == len(
        recount.numbers("ai.classification", "confidence")
    )
    agents = await ask(client, "top-agents", limit="2", **period)
    by_agent = Counter(one.properties["agentId"] for one in chats)
    assert [row["resolved_count"] for row in agents["data"]] == [count for _, count in by_agent.most_common(2)]


async def test_a_range_of_latencies_leads_to_as_many_events(make_app: MakeApp) -> None:
    app, source, client = await opened(make_app, "Africa/Nairobi")
    await stored(app, source, random_history(Random("ranges"), NOW))
    part = (await client.get("/ai-analytics/parts/latency")).text
    assert await events_behind(client, part) > 20, part


async def test_without_events_nothing_is_made_up(make_app: MakeApp) -> None:
    _, _, client = await opened(make_app)
    stats = await ask(client, "stats")
    assert stats["total_classifications"] == 0
    assert (stats["error_rate"], stats["avg_confidence"], stats["p50_latency_ms"]) == (None, None, None)
    assert (await ask(client, "containment"))["containment_rate"] is None
    assert (await ask(client, "tokens"))["total_cost"] is None
    page = await client.get("/ai-analytics", headers={"Accept": "text/html"})
    assert page.status_code == 200


async def test_another_tenant_s_conversations_do_not_count(make_app: MakeApp) -> None:
    app, source, _ = await opened(make_app)
    await stored(app, source, random_history(Random(1), NOW, conversations=10))
    other = await app.source("Another")
    stranger = await app.client(await app.person(other.tenant))
    assert (await ask(stranger, "stats"))["total_classifications"] == 0
    assert (await ask(stranger, "intents"))["data"] == []


@pytest.mark.parametrize("bad", [{"granularity": "year"}, {"period": "5d"}, {"start_date": "2025-13-01"}])
async def test_a_bad_question_is_refused(make_app: MakeApp, bad: dict[str, str]) -> None:
    _, _, client = await opened(make_app)
    assert (await client.get("/api/ai-analytics/stats", params=bad)).status_code == 422


@pytest.mark.parametrize("line", ["small", "small = cheap", "= 1 / 2", "small = 1"])
def test_a_price_that_cannot_be_read_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="is no price"):
        AiAnalyticsTenantSettings(prices=(line,))
