"""Every card of every analytics page, on demo data: what is shown is what plain Python counts in a list of the rows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from random import Random

from sqlalchemy import text

from chatnation.core.demo.generator import TaxAuthority
from chatnation.core.identity import actions, queries
from chatnation.core.processing.pipeline import Pipeline
from chatnation.core.query.segments.builder import SegmentBuilder
from chatnation.core.queue.deadletters import DeadLetters
from chatnation.plugins.dashboard.api import AnalyticsPage
from chatnation.testing.apps import MakeApp, RunningApp
from chatnation.testing.clock import FakeClock
from tests.core.processing.conftest import Intake
from tests.core.query.second_engine import RecountStore, plugin_with
from tests.core.query.stored import History
from tests.plugins.bundled import bundled_plugins
from tests.plugins.demo_history import store

NOW = datetime(2026, 3, 6, 9, 37, tzinfo=UTC)
PERIODS = ("period=7d&compare=true", "start_date=2026-03-04&end_date=2026-03-05&country=KE", "period=7d&channel=web")
_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)")
LISTS = {"/events/catalogue catalogue", "/events/explore properties"}
"""What is told of properties, of which the second engine knows less than PostgreSQL: it has tests of its own."""
CHOSEN = {
    "/funnel": "&template=mri",
    "/events/explore": "&event_name=ai.classification&property=latency_ms",
    "/trends/retention": "&who=back&column=1&first_time=false",
    "/trends/lifecycle": "&days=1",
    "/trends/paths": "&at=0:page_view",
}
"""What pages have to be told before they count anything, or say who is behind a number."""


PATIENT = {"query_timeout_seconds": 600, "query_concurrency": 100, "database_pool_size": 100}
"""The oracles take their time, and more of it on a busy machine."""


def cards(app: RunningApp) -> Iterator[str]:
    """The addresses of all cards, without what comes after a page's `/parts/`; a new page is among them."""
    for entry in app.app.resources.pages:
        page = getattr(entry.item.handler, "__self__", None)
        if isinstance(page, AnalyticsPage) and entry.item.path.endswith("/parts/{card}"):
            base = entry.item.path.removeprefix("/").removesuffix("/parts/{card}")
            if "{" not in base:
                yield from (address for card in page._cards if (address := f"{base} {card}") not in LISTS)


async def tell_demo(history: History) -> None:
    """Days that are built, days that are not over, events that come late, and persons that turn out to be one."""
    facts = list(chain.from_iterable(TaxAuthority(visits_per_day=25).between(NOW - timedelta(days=4), NOW)))
    late = facts[::11]
    await store(history, [fact for place, fact in enumerate(facts) if place % 11])
    await SegmentBuilder.of(history.app).build(history.tenant_id)
    await store(history, late)
    async with history.app.storage.tenant(history.tenant_id) as connection:
        leafs = list(await connection.scalars(text("SELECT leaf_id FROM identities ORDER BY leaf_id")))
        one = leafs[0]
        persons = await queries.resolve(connection, history.tenant_id, leafs)
        other = next(leaf for leaf in leafs if persons[leaf] != persons[one])
        await actions.join(connection, history.tenant_id, one, other, at=NOW, by="a test")


def _shown(text: str) -> list[str]:
    """A page without its tags: all that is shown, and the data of its charts, numbers apart from words."""
    return _NUMBER.split(re.sub(r"<(?!script)[^>]*>|\s+", " ", text))


def _alike(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether the words are the same, and the numbers but for the last digit, where the order of sums tells."""
    return len(one) == len(other) and all(
        part == its or (_NUMBER.fullmatch(part) and _NUMBER.fullmatch(its) and math.isclose(float(part), float(its)))
        for part, its in zip(one, other, strict=True)
    )


async def test_every_card_says_what_plain_python_counts(make_app: MakeApp) -> None:
    listed, clock = RecountStore(()), FakeClock(NOW)
    plugins = (*bundled_plugins(), plugin_with(listed))
    first = await make_app(*plugins, clock=clock)
    source = await first.source()
    history = History(Intake(first, source, Pipeline.of(first.app), DeadLetters(first.app)), Random(1), clock)
    await tell_demo(history)
    listed.rows = {
        "events": [row.plain for row in await history.events()],
        "sessions": [row.plain_session for row in await history.sessions()],
    }
    second = await make_app(*plugins, clock=clock, like=first, settings={"event_store": "fixed", **PATIENT})
    person = await first.person(source.tenant)
    clients = [await app.client(person) for app in (first, second)]
    differing, compared = [], 0
    for base, card in (address.split() for address in cards(first)):
        for period in (each + CHOSEN.get(base, "") for each in PERIODS):
            for path in (f"{base}/{card}.csv?{period}", f"{base}/parts/{card}?{period}"):
                one, other = [await client.get(path) for client in clients]
                shown = [_shown(answer.text) for answer in (one, other)]
                compared += one.status_code == 200
                missing = path.split("?")[0].endswith(".csv") and one.status_code == 404
                if one.status_code != other.status_code or (
                    not missing and (one.status_code != 200 or not _alike(*shown))
                ):
                    differing.append((path, one.status_code, other.status_code))
    assert not differing, "\n".join(map(str, differing))
    assert compared > 100
