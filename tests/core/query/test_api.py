"""Questions over HTTP: what is understood, what is refused and how, and what an answer looks like."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chatnation.core.auth.permissions import RoleName
from chatnation.core.errors import Problem
from chatnation.core.query.wire import read, read_text, write
from chatnation.core.web.spreadsheet import csv_text
from chatnation.query import (
    AnyOf,
    Bucket,
    Catalogue,
    Events,
    EventsAnswer,
    Filter,
    Formula,
    FunnelActor,
    FunnelActors,
    FunnelActorsAnswer,
    Line,
    Measure,
    Query,
    QueryRefused,
    Range,
    Selection,
    Series,
    Timeseries,
    TimeseriesAnswer,
)
from chatnation.testing.apps import MakeApp, RunningApp
from chatnation.testing.clock import FakeClock
from chatnation.testing.events import track
from tests.acceptance.world import signed_in
from tests.core.query.made_answers import ANSWERS, EVENT, QUESTIONS
from tests.core.query.second_engine import FixedStore, plugin_with, unknown_field
from tests.plugins.bundled import bundled_plugins

NOW = datetime(2025, 6, 15, 22, 30, tzinfo=UTC)
"""In Nairobi it is the 16th already."""
NAIROBI = ZoneInfo("Africa/Nairobi")
VISITS: dict[str, Any] = {"kind": "timeseries", "range": {"period": "30d"}, "series": [{"name": "visits"}]}
EXAMPLES: dict[type[Any], Any] = {type(question): question for question in QUESTIONS}
CATALOGUE: dict[str, Any] = {"kind": "catalogue", "range": {"period": "7d"}}


@dataclass(frozen=True)
class Desk:
    """A running app whose answers come from `store`, and a client of an administrator."""

    app: RunningApp
    store: FixedStore
    client: httpx.AsyncClient

    async def ask(self, question: object, **options: Any) -> httpx.Response:
        return await self.client.post("/api/query", json=question, **options)

    async def export(self, question: object, **parameters: str) -> httpx.Response:
        return await self.client.post("/api/query/export", json=question, params=parameters)

    @property
    def asked(self) -> Query:
        """The last question that came to the store."""
        return self.store.asked[-1][1]


@pytest.fixture
async def desk(make_app: MakeApp) -> Desk:
    store = FixedStore(ANSWERS)
    app = await make_app(
        plugin_with(store), settings={"event_store": "fixed", "query_export_rows": 10}, clock=FakeClock(NOW)
    )
    client = await signed_in(app, await app.person((await app.source()).tenant))
    return Desk(app, store, client)


async def test_a_question_is_understood_with_all_that_it_says(desk: Desk) -> None:
    question = {
        **VISITS,
        "series": [
            {"name": "paid", "select": {"events": ["paid"]}, "measure": {"kind": "sum", "field": "properties.amount"}},
            {"name": "all"},
        ],
        "formulas": [{"name": "mean", "expression": "{paid} / {all}"}],
        "filters": [
            {"field": "country_code", "values": ["KE", "UG"]},
            {
                "any_of": [
                    {"field": "properties.n", "operator": "gt", "values": [1]},
                    {"field": "is_bot", "values": [True]},
                ]
            },
        ],
        "granularity": "week",
        "compare": True,
    }
    answer = await desk.ask(question)
    assert answer.status_code == 200, answer.text
    midnight = datetime(2025, 6, 17, tzinfo=NAIROBI)
    assert desk.asked == Timeseries(
        range=Range(midnight - timedelta(days=30), midnight, "Africa/Nairobi"),
        filters=(
            Filter("country_code", values=("KE", "UG")),
            AnyOf((Filter("properties.n", "gt", (1.0,)), Filter("is_bot", values=(True,)))),
        ),
        series=(Series("paid", Selection(("paid",)), Measure("sum", "properties.amount")), Series("all")),
        formulas=(Formula("mean", "{paid} / {all}"),),
        granularity="week",
        compare=True,
    )


async def test_the_answer_is_that_of_the_store(desk: Desk) -> None:
    answer = (await desk.ask(VISITS)).json()
    assert answer["lines"][0]["values"] == [1.0, None]
    assert [bucket["label"] for bucket in answer["buckets"]] == ["2025-06-01", "2025-06-02"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"period": "today"}, ("2025-06-16T00:00+03:00", "2025-06-17T00:00+03:00")),
        ({"period": "1d"}, ("2025-06-16T00:00+03:00", "2025-06-17T00:00+03:00")),
        ({"period": "7d"}, ("2025-06-10T00:00+03:00", "2025-06-17T00:00+03:00")),
        ({"period": "today", "timezone": "UTC"}, ("2025-06-15T00:00+00:00", "2025-06-16T00:00+00:00")),
        (
            {"start_date": "2025-03-01", "end_date": "2025-03-31"},
            ("2025-03-01T00:00+03:00", "2025-04-01T00:00+03:00"),
        ),
        ({"start_date": "2025-06-14"}, ("2025-06-14T00:00+03:00", "2025-06-17T00:00+03:00")),
        (
            {"start_date": "2025-03-30", "end_date": "2025-03-30", "timezone": "Europe/Berlin"},
            ("2025-03-30T00:00+01:00", "2025-03-31T00:00+02:00"),
        ),
        (
            {"start": "2025-06-01T10:00:00Z", "end": "2025-06-01T11:00:00Z"},
            ("2025-06-01T10:00+00:00", "2025-06-01T11:00+00:00"),
        ),
        (
            {"start": "2025-06-01T10:00:00", "end": "2025-06-01T11:00:00"},
            ("2025-06-01T10:00+03:00", "2025-06-01T11:00+03:00"),
        ),
    ],
)
def test_a_range_may_be_written_in_three_ways(written: dict[str, str], meant: tuple[str, str]) -> None:
    query = read({"kind": "catalogue", "range": written}, "Africa/Nairobi", NOW)
    assert isinstance(query, Catalogue)
    assert (query.range.start, query.range.end) == tuple(map(datetime.fromisoformat, meant))
    assert query.range.timezone == written.get("timezone", "Africa/Nairobi")


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ([], "field body"),
        ({}, "discriminator 'kind'"),
        ({"kind": "guess"}, "kind"),
        ({"kind": "timeseries"}, "timeseries.range"),
        ({**VISITS, "series": []}, "timeseries.series"),
        ({**VISITS, "serie": 1}, "timeseries.serie"),
        ({**VISITS, "filters": [{"field": "city", "value": ["x"]}]}, "value"),
        ({**VISITS, "range": "30d"}, "at range"),
        ({**VISITS, "range": {}}, "range.start"),
        ({**VISITS, "range": {"period": "30 days"}}, "range.period"),
        ({**VISITS, "range": {"period": "1101d"}}, "1100 days"),
        ({**VISITS, "range": {"period": "30d", "start_date": "2025-01-01"}}, "range.start_date"),
        ({**VISITS, "range": {"period": "30d", "timezone": "Africa/Atlantis"}}, "time zone"),
        ({**VISITS, "range": {"start_date": "2025-06-02", "end_date": "2025-06-01"}}, "after it starts"),
        ({**VISITS, "range": {"start_date": "9999-12-31", "end_date": "9999-12-31"}}, "between 1970"),
        ({**VISITS, "range": {"start_date": "0001-01-01"}}, "between 1970"),
        ({**VISITS, "range": {"start": "0001-01-01T00:00:00+14:00", "end": "9999-12-31T23:59:59-14:00"}}, "between"),
        ({**VISITS, "range": {"start_date": "2020-01-01", "end_date": "2025-01-01"}}, "1100 days"),
        ({**VISITS, "granularity": "minute"}, "granularity"),
        ({**VISITS, "limit": 51}, "limit"),
        ({"kind": "paths", "range": {"period": "7d"}}, "Nobody told me"),
        ({"kind": "funnel_actors", "funnel": 7}, "funnel_actors.funnel"),
        ({"kind": "funnel_actors", "funnel": {"range": {"period": 7}, "steps": []}}, "range.p"),
    ],
)  # fmt: skip
async def test_a_question_that_makes_no_sense_is_refused_with_the_place(
    desk: Desk, question: object, words: str
) -> None:
    del desk.store.answers[next(kind for kind in desk.store.answers if kind.__name__ == "Paths")]
    answer = await desk.ask(question)
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert problem["code"] in {"invalid_query", "invalid_request"}
    assert words in problem["detail"]


async def test_what_is_no_json_is_400(desk: Desk) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b"", b"{", b'{"kind": "\xff"}', b"[" * 100_000):
        answer = await desk.client.post("/api/query", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")
    for text in ("", "{", "[" * 10_000, '{"limit": NaN}'):
        answer = await desk.client.get("/api/query", params={"q": text})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")


async def test_a_field_that_there_is_not_is_422(desk: Desk) -> None:
    desk.store.answers[Catalogue] = unknown_field
    answer = await desk.ask(CATALOGUE)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_query")
    assert "no_such" in answer.json()["detail"]


async def test_a_question_too_long_is_413(desk: Desk) -> None:
    answer = await desk.ask({**CATALOGUE, "event_name": "a" * 1_100_000})
    assert answer.status_code == 413


async def test_an_answer_has_a_tag_and_a_get_with_it_is_304_until_something_changes(desk: Desk) -> None:
    link = {"q": json.dumps(CATALOGUE)}
    first = await desk.client.get("/api/query", params=link)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    assert {"Cookie", "Authorization"} <= {word.strip() for word in first.headers["vary"].split(",")}
    assert (await desk.ask(CATALOGUE)).headers["etag"] == tag
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}'):
        again = await desk.client.get("/api/query", params=link, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert len(desk.store.asked) == 1
    tenant = desk.store.asked[0][0]
    desk.store.stamps[tenant] = "something came"
    changed = await desk.client.get("/api/query", params=link, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


async def test_who_may_not_see_reports_may_not_ask_and_who_may_not_export_does_not(desk: Desk) -> None:
    tenant = (await desk.app.source()).tenant
    wanted = {RoleName.AGENT: (403, 403), RoleName.AUDITOR: (200, 403), RoleName.ADMIN: (200, 200)}
    for role, statuses in wanted.items():
        client = await desk.app.client(await desk.app.person(tenant, role))
        got = [
            (await client.get(path, params={"q": json.dumps(CATALOGUE)})).status_code
            for path in ("/api/query", "/api/query/export")
        ]
        assert tuple(got) == statuses, role
    stranger = await desk.app.client()
    assert (await stranger.get("/api/query", params={"q": json.dumps(CATALOGUE)})).status_code == 401


async def test_the_search_ends_when_the_client_goes_away(desk: Desk) -> None:
    desk.store.gate.clear()
    network = await desk.app.network_client(await desk.app.person((await desk.app.source()).tenant))
    asking = asyncio.create_task(network.get("/api/query", params={"q": json.dumps(CATALOGUE)}))
    async with asyncio.timeout(20):
        while not desk.store.at_work:
            await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        while desk.store.at_work:
            await asyncio.sleep(0.01)
    assert desk.store.given_up == 1


async def test_an_export_is_a_download_that_no_spreadsheet_runs(desk: Desk) -> None:
    answer = await desk.export(VISITS)
    assert answer.headers["content-disposition"] == 'attachment; filename="timeseries-values.csv"'
    assert answer.text == csv_text(
        ("bucket", "start", "end", "complete", "'=visits"),
        [
            ("2025-06-01", "2025-06-01T00:00:00+00:00", "2025-06-02T00:00:00+00:00", True, 1.0),
            ("2025-06-02", "2025-06-02T00:00:00+00:00", "2025-06-03T00:00:00+00:00", False, None),
        ],
    )
    assert "x-truncated" not in answer.headers
    as_json = (await desk.export(VISITS, format="json")).json()
    assert as_json["columns"][-1] == "=visits", "JSON is no spreadsheet"
    assert as_json["rows"][1] == ["2025-06-02", "2025-06-02T00:00:00+00:00", "2025-06-03T00:00:00+00:00", False, None]
    assert as_json["truncated"] is False


async def test_another_table_of_an_answer_is_had_by_its_name(desk: Desk) -> None:
    answer = (await desk.export(VISITS, format="json", table="totals")).json()
    assert answer["rows"] == [["=visits", 1.0]]
    refused = await desk.export(VISITS, table="nothing")
    assert refused.status_code == 422
    assert "values, totals" in refused.json()["detail"]


async def test_an_export_that_is_too_long_is_cut_and_says_so(desk: Desk) -> None:
    buckets = tuple(Bucket(NOW + timedelta(days=day), NOW + timedelta(days=day + 1), f"day {day}") for day in range(11))
    desk.store.answers[Timeseries] = TimeseriesAnswer(buckets, (Line("visits", (1.0,) * 11, 11.0),))
    answer = await desk.export(VISITS)
    assert answer.headers["x-truncated"] == "true"
    lines = answer.text.strip().split("\r\n")
    assert len(lines) == 12
    assert lines[-1].startswith('"Cut after 10 rows')
    as_json = (await desk.export(VISITS, format="json")).json()
    assert (len(as_json["rows"]), as_json["truncated"]) == (10, True)


@pytest.mark.parametrize(("stored", "cut"), [(0, False), (9, False), (10, False), (11, True), (35, True)])
async def test_an_export_of_events_follows_the_pages(desk: Desk, stored: int, cut: bool) -> None:
    def page(query: Events, now: datetime) -> EventsAnswer:
        first = int(query.after or 0)
        last = min(first + 4, stored)
        rows = tuple(replace(EVENT, event_name=f"event {place}") for place in range(first, last))
        return EventsAnswer(rows, str(last) if last < stored else None)

    desk.store.answers[Events] = page
    answer = await desk.export({"kind": "events", "range": {"period": "7d"}}, format="json")
    told = answer.json()
    names = [row[told["columns"].index("event_name")] for row in told["rows"]]
    assert names == [f"event {place}" for place in range(min(stored, 10))]
    assert told["truncated"] is cut
    as_csv = (await desk.export({"kind": "events", "range": {"period": "7d"}})).text
    assert as_csv.count("\r\n") == 1 + min(stored, 10) + cut
    assert ("Cut after" in as_csv) is cut


async def test_an_export_of_people_follows_the_pages(desk: Desk) -> None:
    def page(query: FunnelActors, now: datetime) -> FunnelActorsAnswer:
        places = range(query.offset, min(query.offset + 3, 8))
        return FunnelActorsAnswer(tuple(FunnelActor(str(place), None, NOW, NOW, 1) for place in places), 8)

    desk.store.answers[FunnelActors] = page
    funnel = {"range": {"period": "7d"}, "steps": [{"name": "a", "select": {"events": ["a"]}}]}
    told = (await desk.export({"kind": "funnel_actors", "funnel": funnel}, format="json")).json()
    assert [row[0] for row in told["rows"]] == [str(place) for place in range(8)]
    assert told["truncated"] is False


async def test_every_kind_of_answer_can_be_downloaded_and_all_of_its_tables(desk: Desk) -> None:
    for kind, answer in ANSWERS.items():
        question = json.loads(write(EXAMPLES[kind]))
        told = (await desk.export(question, format="json")).json()
        names = [told["table"], *await other_tables(desk, question)]
        for name in names:
            table = (await desk.export(question, format="json", table=name)).json()
            assert {len(row) for row in table["rows"]} <= {len(table["columns"])}, (kind, name)
            assert (await desk.export(question, table=name)).status_code == 200
        assert answer is not None


async def other_tables(desk: Desk, question: object) -> list[str]:
    refusal = (await desk.export(question, table="?")).json()["detail"]
    return [name.strip(" .") for name in refusal.partition("it has ")[2].split(",")]


async def test_the_description_of_the_api_has_every_kind_of_question(desk: Desk) -> None:
    document = (await desk.client.get("/api/openapi.json")).json()
    schemas = document["components"]["schemas"]
    body = document["paths"]["/api/query"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    asked = schemas[body["$ref"].rpartition("/")[2]]
    assert set(asked["discriminator"]["mapping"]) == {example.kind for example in EXAMPLES.values()}
    forms = schemas["Range"]["anyOf"]
    assert [set(form["properties"]) - {"timezone"} for form in forms] == [
        {"period"},
        {"start_date", "end_date"},
        {"start", "end"},
    ]


@pytest.mark.parametrize("kind", ANSWERS, ids=lambda kind: kind.__name__)
def test_a_question_survives_being_written_and_read(kind: type[Any]) -> None:
    question = EXAMPLES[kind]
    assert read_text(write(question), "Africa/Nairobi", NOW) == question


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.datetimes().map(str)
names = st.sampled_from(
    "kind range start end timezone period start_date end_date series select events filters field operator values any_of"
    " measure name formulas expression granularity by limit compare steps window order funnel step person_id edges sets"
    " actor periods rule brackets start back within outcomes after event_name".split()
)
words = st.sampled_from(
    "timeseries breakdown distribution uniques funnel funnel_actors funnel_walk retention paths lifecycle stickiness"
    " retention_actors paths_actors lifecycle_actors stickiness_actors"
    " intervals outcomes events catalogue day hour 30d today UTC Africa/Nairobi event_name properties.a is between"
    " 2025-06-01 2025-06-02T00:00:00Z count sum {a}/{b}".split()
)
data = st.recursive(
    scalars | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | st.text(max_size=5), inner, max_size=6),
    max_leaves=25,
)


@settings(max_examples=400, suppress_health_check=list(HealthCheck), deadline=None)
@given(question=data, kind=words, stretch=data | st.just({"period": "7d"}))
@example(question={"limit": 10**400}, kind="events", stretch={"period": "7d"})
@example(question={"after": "\ud800"}, kind="events", stretch={"period": "7d"})
@example(question={}, kind="events", stretch={"start": 1e300, "end": -1e300})
@example(question={}, kind="events", stretch={"start": "2025-06-01", "end": "2025-06-02", "timezone": "\0"})
def test_any_data_is_a_question_or_refused(question: object, kind: object, stretch: object) -> None:
    if isinstance(question, dict):
        question = {**question, "kind": kind, "range": stretch}
    with suppress(QueryRefused):
        read(question, "Africa/Nairobi", NOW)


@settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None)
@given(text=st.text(max_size=40) | data.map(lambda value: json.dumps(value)) | st.binary(max_size=40))
def test_any_text_is_a_question_or_refused(text: str | bytes) -> None:
    with suppress(Problem):
        read_text(text, "Africa/Nairobi", NOW)


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(changes=st.dictionaries(names, data, max_size=3), place=st.sampled_from(range(len(QUESTIONS))))
async def test_whatever_is_changed_in_a_good_question_gets_an_answer_or_a_reason(
    desk: Desk, changes: dict[str, object], place: int
) -> None:
    question = {**json.loads(write(list(EXAMPLES.values())[place])), **changes}
    body = json.dumps(question)
    for path in ("/api/query", "/api/query/export"):
        answer = await desk.client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in {200, 400, 422}, (answer.status_code, body)


async def test_what_was_sent_is_counted_and_what_comes_changes_the_tag(make_app: MakeApp) -> None:
    app = await make_app(*bundled_plugins())
    source = await app.source()
    client = await signed_in(app, await app.person(source.tenant))
    question = {**VISITS, "series": [{"name": "paid", "select": {"events": ["paid"]}}], "range": {"period": "7d"}}
    link = {"q": json.dumps(question)}
    tags = []
    for count in (0, 2, 4):
        known = {"If-None-Match": ", ".join(tags)}
        answer = await client.get("/api/query", params=link, headers=known)
        assert answer.status_code == 200
        assert answer.json()["lines"][0]["total"] == count
        tags.append(answer.headers["etag"])
        assert (await client.get("/api/query", params=link, headers={"If-None-Match": tags[-1]})).status_code == 304
        await app.ingest_and_drain([track("paid"), track("paid"), track("seen")], source)
    other = await signed_in(app, await app.person((await app.source()).tenant))
    theirs = await other.get("/api/query", params=link, headers={"If-None-Match": tags[-1]})
    assert theirs.json()["lines"][0]["total"] == 0
