"""The first of several fields that has a value, against a look at each plain event."""

from __future__ import annotations

from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from chatnation.core.query.evaluate.dispatch import evaluate
from chatnation.core.query.evaluate.local import localized
from chatnation.core.query.fields import Field, UnknownField
from chatnation.core.query.frame import MISSING, Need
from chatnation.core.query.model import Breakdown, Filter, Measure, Range, Series
from chatnation.core.query.reach import names_in
from tests.core.query import plain
from tests.core.query.histories import PlainEvent, PlainLoader
from tests.core.query.test_outcomes import HOUR, LATER, NOON

ZONE = ZoneInfo("Europe/Berlin")
FIELDS = ("properties.x", "properties.kind", "country_code", "person.plan", "time.hour", "event_name")


def first_value(event: PlainEvent, names: list[str]) -> tuple[str, str] | None:
    """The first field with a value, and that value."""
    return next(((name, found) for name in names if (found := plain.value(event, name, ZONE)) is not None), None)


@pytest.mark.parametrize("seed", range(40))
async def test_the_first_value_of_each_event_is_found(seed: int) -> None:
    random = Random(seed)
    loader = PlainLoader(plain.random_events(random))
    names = random.sample(FIELDS, random.randint(1, 4))
    field = Field.parse("first_of:" + "|".join(names))
    frame = await localized(loader, ZONE).load(None, None, Need(columns=frozenset({field}), numbers=frozenset({field})))
    column, numbers = frame.column(field), frame.numbers(field)
    for place, event in enumerate(loader.events):
        found = first_value(event, names)
        code = column.codes[place]
        assert (None if code == MISSING else column.values[code]) == (found and found[1])
        number = None if found is None else event.number(found[0]) if "time" not in found[0] else float(found[1])
        assert bool(np.isnan(numbers.values[place])) is (number is None)
        assert number is None or numbers.values[place] == number
        assert bool(numbers.unusable[place]) is (found is not None and number is None)


async def test_it_can_be_asked_for_as_any_field() -> None:
    events = [
        PlainEvent(NOON, "a", "ann", properties={"step": "otp", "journeyStep": "mri"}),
        PlainEvent(NOON, "b", "ann", properties={"journeyStep": "mri"}),
        PlainEvent(NOON, "c", "bob"),
    ]
    step = "first_of:properties.step|properties.journeyStep|event_name"
    question = Breakdown(range=HOUR, by=(step,), filters=(Filter(step, "is_not", ("c",)),))

    answer = await evaluate(question, PlainLoader(events), LATER)

    assert [(row.values, row.measures) for row in answer.rows] == [(("mri",), (1,)), (("otp",), (1,))]  # type: ignore[union-attr]


async def test_values_are_counted_once_whichever_field_they_come_from() -> None:
    events = [PlainEvent(NOON, "a", properties={name: "mri"}) for name in ("x", "y")]
    measure = Measure("distinct", "first_of:properties.x|properties.y")

    answer = await evaluate(
        Breakdown(range=HOUR, series=(Series("steps", measure=measure),), by=("event_name",)),
        PlainLoader(events),
        LATER,
    )

    assert answer.total.measures == (1,)  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["first_of:", "first_of:city|", "first_of:town", "first_of:city|first_of:event_name"])
def test_what_is_not_made_of_fields_is_unknown(text: str) -> None:
    with pytest.raises(UnknownField):
        Field.parse(text)


def test_it_is_written_as_it_was_read() -> None:
    text = "first_of:properties.a.b|city"
    assert str(Field.parse(text)) == text
    assert [str(part) for part in Field.parse(text).parts] == ["properties.a.b", "city"]


def test_what_it_is_made_of_is_among_the_names_of_a_question() -> None:
    question = Breakdown(range=Range(NOON, LATER), by=("first_of:properties.x|person.plan",))
    assert {"properties.x", "person.plan"} <= names_in(question)
