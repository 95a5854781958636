"""The catalogue of events, and what is in their properties, against a recount."""

from __future__ import annotations

import csv
import io
from collections import Counter
from statistics import mean, median

import pytest

from chatnation import EventType
from chatnation.plugins.explorer.catalogue import described, entries
from chatnation.plugins.explorer.edges import round_edges
from chatnation.plugins.explorer.sparkline import sparkline
from chatnation.testing.apps import MakeApp
from tests.plugins.explorer.conftest import open_desk, send_history


async def test_the_catalogue_has_every_name_with_what_came_under_it(make_app: MakeApp) -> None:
    desk = await open_desk(make_app)
    await send_history(desk, seed=5)
    found = {each["event_name"]: each for each in (await desk.get("/api/events/catalogue"))["data"]}
    for name, count in Counter(each.name for each in desk.counted()).items():
        sent = desk.counted(name=name)
        entry = found[name]
        assert (entry["count"], entry["persons"]) == (count, len({each.who for each in sent})), name
        assert entry["first_seen"][:19] == min(each.at for each in sent).isoformat()[:19]
        assert entry["last_seen"][:19] == max(each.at for each in sent).isoformat()[:19]
        assert entry["description"] or name == "validation_success"
    assert found["alias"]["count"] == 0, "it is known, but was not seen"
    (one,) = (await desk.get("/api/events/catalogue", event_name="return_filed"))["data"]
    amounts = [each.amount for each in desk.counted(name="return_filed") if each.amount is not None]
    amount = next(each for each in one["properties"] if each["name"] == "amount")
    assert amount["count"] == len(amounts)
    assert amount["types"].get("number", 0) == sum(isinstance(value, int) for value in amounts)
    assert amount["types"].get("text", 0) == sum(isinstance(value, str) for value in amounts)
    assert amount["description"] == "tax due"
    page = await desk.page("/events/catalogue")
    assert "not seen in this period" in page
    rows = list(csv.DictReader(io.StringIO((await desk.client.get("/events/catalogue/catalogue.csv")).text[1:])))
    assert {row["event_name"]: int(row["count"]) for row in rows if row["count"] != "0"} == Counter(
        each.name for each in desk.counted()
    )


@pytest.mark.parametrize("timezone", ["Africa/Nairobi", "America/New_York"])
async def test_a_property_is_told_by_value_number_and_day(make_app: MakeApp, timezone: str) -> None:
    desk = await open_desk(make_app, timezone)
    await send_history(desk, seed=6)
    sent = desk.counted(name="return_filed")
    report = await desk.get("/api/events/property", event_name="return_filed", property="obligation")
    counts = Counter(each.obligation for each in sent)
    assert {each["value"]: each["count"] for each in report["values"]} == counts
    assert {each["value"]: each["persons"] for each in report["values"]} == {
        value: len({each.who for each in sent if each.obligation == value}) for value in counts
    }
    by_day = Counter(each.at.astimezone(desk.zone).date().isoformat() for each in sent)
    assert {each["date"]: each["count"] for each in report["days"] if each["count"]} == by_day
    numbers = [float(each.amount) for each in sent if each.amount not in (None, "much")]  # type: ignore[arg-type]
    report = await desk.get("/api/events/property", event_name="return_filed", property="amount")
    assert report["numbers"]["count"] == len(numbers)
    assert report["numbers"]["mean"] == pytest.approx(mean(numbers))
    assert report["numbers"]["p50"] == pytest.approx(median(numbers))
    assert report["unusable"] == sum(each.amount == "much" for each in sent)
    assert report["other"] + sum(each["count"] for each in report["values"]) == len(sent)


async def test_the_page_explores_what_is_chosen(make_app: MakeApp) -> None:
    desk = await open_desk(make_app)
    await send_history(desk, seed=7)
    nothing = await desk.page("/events/explore")
    assert "Choose an event" in nothing
    page = await desk.page("/events/explore", event_name="return_filed", property="amount")
    assert "A return was filed" in page
    for card in ("trend", "senders", "values", "numbers", "properties"):
        part = await desk.page(f"/events/explore/parts/{card}", event_name="return_filed", property="amount")
        assert "could not be shown" not in part, card
    numbers = await desk.page("/events/explore/parts/numbers", event_name="return_filed", property="obligation")
    assert "None of its values is a number" in numbers
    never = await desk.page("/events/explore", event_name="never_<b>", property="x")
    assert "never_&lt;b&gt;" in never


def test_descriptions_without_events_come_last_and_the_first_of_two_counts() -> None:
    one, two, other = EventType("a", "one", {}), EventType("a", "two", {}), EventType("b", "other", {})
    known = described([one, two, other])
    assert [(each.name, each.known, each.count) for each in entries([], known)] == [("a", one, 0), ("b", other, 0)]


def test_a_line_goes_from_left_to_right_and_is_none_where_nothing_is() -> None:
    assert sparkline([0, 2, None, 1]) == "M0.0 23.0L33.3 1.0L66.7 23.0L100.0 12.0"
    assert sparkline([0, 0]) == sparkline([3]) == sparkline([]) == ""


@pytest.mark.parametrize(
    ("least", "most", "edges"),
    [
        (0, 100, tuple(range(0, 100, 10))),
        (3, 51_758, tuple(range(0, 60_000, 10_000))),
        (-7, 12, tuple(range(-8, 12, 2))),
        (5, 5, (5,)),
        (0.1, 0.35, (0.1, 0.125, 0.15, 0.175, 0.2, 0.225, 0.25, 0.275, 0.3, 0.325)),
    ],
)
def test_ranges_begin_at_round_numbers_and_hold_all(least: float, most: float, edges: tuple[float, ...]) -> None:
    found = round_edges(least, most)
    assert found == pytest.approx(edges)
    assert found[0] <= least


def test_whole_numbers_have_a_range_each_where_they_are_few() -> None:
    assert round_edges(1, 5, whole=True) == (1, 2, 3, 4, 5)
    assert round_edges(0, 100, whole=True) == round_edges(0, 100)
    assert round_edges(5, 5, whole=True) == (5,)
