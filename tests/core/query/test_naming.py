"""Which questions name single persons: those who may see reports but no persons may not ask these."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from chatnation.core.context import Actor, Tenant, act_as, nobody_acting
from chatnation.core.query.naming import check_names_nobody, identifies
from chatnation.core.query.runner import QueryRunner
from chatnation.query import (
    AnyOf,
    Breakdown,
    Catalogue,
    CatalogueAnswer,
    CataloguedEvent,
    CataloguedProperty,
    Distribution,
    Events,
    EventsAnswer,
    Filter,
    First,
    Funnel,
    FunnelActors,
    FunnelWalk,
    Intervals,
    Lifecycle,
    LifecycleActors,
    Measure,
    NamedSet,
    NamesPersons,
    Outcome,
    Outcomes,
    Paths,
    PathsActors,
    PathStep,
    Query,
    Range,
    Retention,
    RetentionActors,
    Selection,
    Series,
    Step,
    Stickiness,
    StickinessActors,
    Tell,
    Timeseries,
    Uniques,
)
from chatnation.testing.clock import FakeClock
from tests.core.query.made_answers import EVENT
from tests.core.query.second_engine import FixedStore

JUNE = Range(datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC))
COUNT = (Series("all"),)
PAID = Selection(("paid",))
FUNNEL = Funnel(range=JUNE, steps=(Step("paid", PAID),))
OUTCOMES = Outcomes(range=JUNE, start=PAID, outcomes=(Outcome("done", PAID),))
ANALYST = Actor(Tenant(1, "kra", "KRA"), frozenset({"analytics.view"}))


def narrowed(*conditions: Filter | AnyOf) -> Selection:
    return Selection(filters=conditions)


def measured(measure: Measure) -> Timeseries:
    return Timeseries(range=JUNE, series=(Series("all", measure=measure),))


NAMING: dict[str, Query] = {
    "A breakdown by user_id": Breakdown(range=JUNE, by=("channel_type", "user_id")),
    "A breakdown by external_id": Timeseries(range=JUNE, series=COUNT, by="external_id"),
    "A breakdown by person.email": replace(FUNNEL, by="person.email"),
    "A breakdown by session.user_id": Intervals(range=JUNE, start=PAID, end=PAID, by="session.user_id"),
    "A breakdown by first_of:properties.step|person.firstName": Outcomes(
        range=JUNE, start=PAID, outcomes=(Outcome("done", PAID),), by="first_of:properties.step|person.firstName"
    ),
    "A breakdown by properties.customer.phone_number": Paths(range=JUNE, node="properties.customer.phone_number"),
    "A condition on person.KRA_PIN": Timeseries(
        range=JUNE, series=(Series("all", narrowed(Filter("person.KRA_PIN", "starts_with", ("A0",)))),)
    ),
    "A condition on user_id": replace(FUNNEL, filters=(AnyOf((Filter("city"), Filter("user_id", "is", ("A1",)))),)),
    "A measure of person.phone": measured(Measure("max", "person.phone")),
    "A distribution of user_id": Distribution(range=JUNE, field="user_id"),
    "A list of those behind a number": FunnelActors(funnel=FUNNEL),
    "A list of one person's events": Events(range=JUNE, person_id=uuid4()),
    "A list of attempts": replace(OUTCOMES, tell=Tell()),
}


@pytest.mark.parametrize(("words", "question"), NAMING.items(), ids=NAMING)
def test_a_question_that_names_single_persons_is_refused_and_told_why(words: str, question: Query) -> None:
    with pytest.raises(NamesPersons) as refusal:
        check_names_nobody(question)
    assert (refusal.value.status, refusal.value.code) == (403, "names_persons")
    assert refusal.value.detail.startswith(words)
    assert "persons.view" in refusal.value.detail


@pytest.mark.parametrize(
    "question",
    [
        FunnelWalk(funnel=FUNNEL, person_id=uuid4()),
        RetentionActors(retention=Retention(range=JUNE)),
        PathsActors(paths=Paths(range=JUNE), at=PathStep(0)),
        LifecycleActors(lifecycle=Lifecycle(range=JUNE), bucket="2025-06-02", state="new"),
        StickinessActors(stickiness=Stickiness(range=JUNE), periods=1),
    ],
    ids=lambda question: type(question).__name__,
)
def test_so_is_every_list_of_actors(question: Query) -> None:
    with pytest.raises(NamesPersons):
        check_names_nobody(question)


@pytest.mark.parametrize(
    "question",
    [
        Breakdown(range=JUNE, by=("person.county", "properties.template.name")),
        Timeseries(range=JUNE, series=(Series("known", narrowed(Filter("user_id", "is_set"))),)),
        Timeseries(range=JUNE, series=(Series("first", Selection(first=First(per="user_id"))),)),
        measured(Measure("distinct", "external_id")),
        measured(Measure("persons")),
        Uniques(range=JUNE, sets=(NamedSet("paid", PAID),), actor="user_id"),
        Distribution(range=JUNE, per="user_id"),
        replace(FUNNEL, constant=("user_id",)),
        OUTCOMES,
        Events(range=JUNE),
        Catalogue(range=JUNE),
    ],
    ids=lambda question: type(question).__name__,
)
def test_counts_of_many_are_open(question: Query) -> None:
    check_names_nobody(question)


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("person.name", True),
        ("person.full name", True),
        ("person.Date_of_birth", True),
        ("properties.name", True),
        ("properties.template.name", False),
        ("properties.to", True),
        ("properties.user.email", True),
        ("properties.email_sent", False),
        ("properties.agentId", False),
        ("person.plan", False),
        ("city", False),
    ],
)
def test_names_of_traits_and_properties_say_whether_they_identify(field: str, names: bool) -> None:
    assert identifies(field) == names


def asked_by(actor: Actor | None, runner: QueryRunner) -> Any:
    async def ask(question: Query) -> Any:
        with nobody_acting():
            act_as(actor)
            return await runner.find(1, question)

    return ask


@pytest.mark.anyio
async def test_who_may_not_see_persons_reads_rows_without_their_names(anyio_backend: str) -> None:
    properties = {"email": "w@example.org", "step": 3, "payer": {"phone": "254700000001", "kind": "own"}}
    known = replace(EVENT, user_id="A1", external_id="254700000001", person_id=uuid4(), properties=properties)
    seen = CataloguedEvent(
        "paid",
        1,
        1,
        EVENT.timestamp,
        EVENT.timestamp,
        {},
        {},
        (CataloguedProperty("step", 1, {}, ("3",)), CataloguedProperty("payer.phone", 1, {}, ('"254700000001"',))),
    )
    store = FixedStore({Events: EventsAnswer((known,), "next"), Catalogue: CatalogueAnswer((seen,))})
    runner = QueryRunner(lambda: store, FakeClock(datetime(2025, 6, 15, tzinfo=UTC)))
    analyst, product = asked_by(ANALYST, runner), asked_by(None, runner)
    told = await analyst(Events(range=JUNE))
    (event,) = told.answer.events
    assert (event.user_id, event.external_id, event.person_id, event.anonymous_id) == (None, None, None, None)
    assert event.properties == {"step": 3, "payer": {"kind": "own"}}
    assert (event.event_name, event.message_id, told.answer.next_cursor) == (known.event_name, known.message_id, "next")
    (catalogued,) = (await analyst(Catalogue(range=JUNE))).answer.events
    assert [each.examples for each in catalogued.properties] == [("3",), ()]
    whole = await product(Events(range=JUNE))
    assert whole.answer.events == (known,)
    assert whole.tag != told.tag, "what one of them was told is nothing new to that one only"
    with pytest.raises(NamesPersons):
        await analyst(FunnelActors(funnel=FUNNEL))
