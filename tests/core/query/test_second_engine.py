"""With another event store in charge nobody looks into PostgreSQL for events: all numbers come from a list."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chatnation.plugins
from chatnation.core.query.checks import check
from chatnation.core.query.fields import UnknownField
from chatnation.core.query.tables import tables_of
from chatnation.core.query.wire import read, write
from chatnation.query import QueryRefused
from chatnation.testing.apps import MakeApp
from chatnation.testing.clock import FakeClock
from tests.acceptance.world import signed_in
from tests.core.query.histories import PlainEvent, random_history
from tests.core.query.made_answers import QUESTIONS
from tests.core.query.second_engine import ListStore, plugin_with
from tests.plugins.bundled import bundled_plugins

NOW = datetime(2025, 6, 15, 9, 30, tzinfo=UTC)
PLUGINS = Path(chatnation.plugins.__path__[0])
NO_ANALYTICS = {"dashboard", "sessions"}
"""The one has pages of what came in beside the pieces of analytics pages; the other keeps and lists its own rows."""
ASKING = sorted(
    folder.name
    for folder in PLUGINS.iterdir()
    if folder.name not in NO_ANALYTICS
    and any("chatnation.query" in path.read_text("utf-8") for path in folder.rglob("*.py"))
)
"""The bundled plugins that ask questions."""


def views(count: int) -> list[PlainEvent]:
    return [
        PlainEvent(NOW - timedelta(seconds=place), "page_view", person=None, message_id=place) for place in range(count)
    ]


async def test_the_api_tells_what_another_engine_found(make_app: MakeApp) -> None:
    plugins = (*bundled_plugins(), plugin_with(ListStore(views(4_711))))
    app = await make_app(*plugins, settings={"event_store": "fixed"}, clock=FakeClock(NOW))
    client = await signed_in(app, await app.person((await app.source()).tenant))
    question = {"kind": "timeseries", "range": {"period": "7d"}, "series": [{"name": "views"}]}
    answer = (await client.post("/api/query", json=question)).json()
    assert answer["lines"][0]["total"] == 4_711


@pytest.mark.parametrize("plugin", ASKING)
def test_a_plugin_that_asks_questions_reads_no_events_itself(plugin: str) -> None:
    for path in (PLUGINS / plugin).rglob("*.py"):
        if path.parent.name == "migrations":
            continue
        found = re.findall(r"\b(?:FROM|JOIN)\s+(?:public\.)?events\w*", path.read_text("utf-8"))
        assert not found, f"{path}: ask `Analytics` instead"


fields = st.sampled_from(
    "event_name country_code properties.x properties.kind properties.none is_bot person.county session.utm_source"
    " time.weekday time.hour project_id nonsense properties. session.nonsense".split()
)
scalars = st.sampled_from(["a", "KE", "", "3", 3, 2.5, -1, True, "*", "a*", "\\", "NaN", "1e999", "٣"])
operators = st.sampled_from(
    "is is_not contains not_contains starts_with ends_with matches is_set is_not_set gt gte lt lte between".split()
)
filters = st.fixed_dictionaries(
    {"field": fields}, optional={"operator": operators, "values": st.lists(scalars, max_size=3)}
)
conditions = st.lists(
    filters | st.fixed_dictionaries({"any_of": st.lists(filters, min_size=1, max_size=2)}), max_size=2
)
selections = st.fixed_dictionaries(
    {}, optional={"events": st.lists(st.sampled_from("abcdz"), max_size=2), "filters": conditions}
)
kinds = st.sampled_from("count persons new_persons sessions distinct sum avg min max p50 p75 p90 p95 p99".split())
series = st.fixed_dictionaries(
    {"name": st.sampled_from("uvw")},
    optional={
        "select": selections,
        "measure": st.fixed_dictionaries({"kind": kinds}, optional={"field": fields}),
    },
)
formulas = st.fixed_dictionaries(
    {
        "name": st.sampled_from("fgu"),
        "expression": st.sampled_from(["{u}", "{u} / {v}", "9 * ({u} - {w})", "{u", "1 / 0", "2 ** 9", "((((", "-{u}"]),
    }
)  # fmt: skip
steps = st.fixed_dictionaries(
    {"name": st.sampled_from("stu"), "select": selections},
    optional={"within": st.sampled_from([1, 3600, 1e12]), "optional": st.booleans()},
)
numbers = st.sampled_from([0, 1, 2, 3, 7, 60, 3600, 86_400, 10**9, 0.5, -1])
edges = st.lists(st.sampled_from([0, 1, 2, 2.5, -3, 1e300]), max_size=4)
nodes = st.fixed_dictionaries(
    {"column": numbers}, optional={"value": st.sampled_from(["a", "KE", None]), "other": st.booleans()}
)
PIECES: dict[str, st.SearchStrategy[Any]] = {
    "filters": conditions,
    "include_bots": st.booleans(),
    "source": st.sampled_from(["events", "sessions"]),
    "series": st.lists(series, min_size=1, max_size=3),
    "formulas": st.lists(formulas, max_size=2),
    "granularity": st.sampled_from(["hour", "day", "week", "month", None]),
    "limit": numbers,
    "offset": numbers,
    "compare": st.booleans(),
    "select": selections,
    "field": fields,
    "edges": edges,
    "sets": st.lists(
        st.fixed_dictionaries({"name": st.sampled_from("xyz"), "select": selections}), min_size=1, max_size=3
    ),
    "actor": fields | st.sampled_from(["person", "session"]),
    "steps": st.lists(steps, min_size=1, max_size=4),
    "window": numbers,
    "order": st.sampled_from(["ordered", "strict", "any"]),
    "anchor_first": st.booleans(),
    "anchor_last": st.booleans(),
    "exclusions": st.lists(st.fixed_dictionaries({"select": selections, "after": numbers}), max_size=2),
    "constant": st.lists(fields, max_size=2),
    "entry": st.sampled_from(["best", "first", "totals"]),
    "journey_flags": st.booleans(),
    "attribution": st.sampled_from(["first", "last", "step", "any"]),
    "attribution_step": numbers,
    "step": numbers,
    "outcome": st.sampled_from(["reached", "dropped", "open"]),
    "value": st.sampled_from(["KE", "", None]),
    "missing": st.booleans(),
    "other": st.booleans(),
    "cohort": st.sampled_from(["2025-03-24", "", None]),
    "bucket": st.sampled_from(["2025-03-24", "2025-03-30T03:00+02:00", "x"]),
    "column": numbers,
    "state": st.sampled_from(["new", "returning", "resurrecting", "dormant", "gone"]),
    "at": nodes,
    "to": nodes | st.none(),
    "periods": numbers,
    "rule": st.sampled_from(["on", "on_or_after", "bracket"]),
    "brackets": st.lists(numbers, max_size=3),
    "first_time": st.booleans(),
    "node": fields,
    "depth": numbers,
    "nodes": numbers,
    "collapse": st.booleans(),
    "gap": numbers,
    "within": numbers,
    "starts": st.sampled_from(["every", "first"]),
    "outcomes": st.lists(
        st.fixed_dictionaries({"name": st.sampled_from("xyz"), "select": selections}), min_size=1, max_size=3
    ),
    "range": st.sampled_from(
        [
            {"start_date": "2025-03-20", "end_date": "2025-04-09", "timezone": "Europe/Berlin"},
            {"start": "2025-03-30T00:59:59.999999Z", "end": "2025-03-30T01:00:00Z", "timezone": "Europe/Berlin"},
            {"start": "2025-03-21T10:17:00Z", "end": "2025-03-28T10:17:00Z"},
            {"start_date": "1970-01-01", "end_date": "1970-01-02"},
            {"start_date": "2098-01-01", "end_date": "2099-12-31"},
        ]
    ),
}
ANY_BY = {"breakdown": st.lists(fields, min_size=1, max_size=2)}


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    """A question of any kind, in which some things are made up of good pieces and some of bad ones."""
    question: dict[str, Any] = json.loads(write(draw(st.sampled_from(QUESTIONS))))
    places = [question, *(part for part in question.values() if isinstance(part, dict) and "kind" in part)]
    for place in places:
        for name in draw(st.lists(st.sampled_from(sorted(place)), max_size=5, unique=True)):
            if name == "by":
                place[name] = draw(ANY_BY.get(place["kind"], fields | st.none()))
            elif name in PIECES:
                place[name] = draw(PIECES[name])
    return question


HISTORY = random_history(Random(4))
STORE = ListStore(HISTORY)


@settings(max_examples=600, suppress_health_check=list(HealthCheck), deadline=None)
@given(question=questions(), now=st.sampled_from([NOW, datetime(2025, 4, 1, 12, 0, 0, 1, tzinfo=UTC)]))
async def test_a_question_made_of_any_pieces_has_an_answer_and_tables_or_is_refused(
    question: dict[str, Any], now: datetime
) -> None:
    with suppress(QueryRefused, UnknownField):
        query = read(question, "Africa/Nairobi", now)
        check(query)
        answer = await STORE.answer(1, query, now)
        json.loads(write(answer))
        for table in tables_of(query, answer):
            assert {len(row) for row in table.rows} <= {len(table.columns)}, table.name
