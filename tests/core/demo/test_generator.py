"""The month that the demo makes up."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import maxminddb
import pytest

from chatnation.core.demo.facts import Fact
from chatnation.core.demo.generator import TaxAuthority
from chatnation.core.demo.places import NETWORKS, PLACES, choose_address
from chatnation.core.demo.rhythm import NAIROBI
from chatnation.core.demo.taxpayers import taxpayer
from chatnation.core.demo.website import JOURNEYS
from chatnation.plugins.geoip.settings import BUNDLED_COUNTRIES

FIRST = date(2026, 3, 1)
NOON = datetime(2026, 3, 10, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def month() -> list[Fact]:
    authority = TaxAuthority(seed=7, visits_per_day=120)
    return [fact for offset in range(31) for fact in authority.day(FIRST + timedelta(days=offset))]


def names(facts: Iterable[Fact]) -> Counter[str]:
    return Counter(fact.event["event_name"] for fact in facts)


def test_the_same_seed_tells_the_same_day() -> None:
    one, two = TaxAuthority(seed=3, visits_per_day=50), TaxAuthority(seed=3, visits_per_day=50)
    two.day(FIRST)  # what was told before must not matter
    assert one.day(date(2026, 3, 4)) == two.day(date(2026, 3, 4))


def test_another_seed_tells_another_day() -> None:
    one, two = TaxAuthority(seed=3, visits_per_day=50), TaxAuthority(seed=4, visits_per_day=50)
    ids = {fact.event["message_id"] for fact in one.day(FIRST)}
    assert ids.isdisjoint(fact.event["message_id"] for fact in two.day(FIRST))


def test_message_ids_are_unique_and_carry_their_time(month: list[Fact]) -> None:
    ids = [UUID(fact.event["message_id"]) for fact in month]
    assert len(set(ids)) == len(ids)
    assert {value.version for value in ids} == {7}
    for value, fact in zip(ids, month, strict=True):
        assert abs((value.int >> 80) - fact.at.timestamp() * 1000) < 2


def test_a_day_is_told_in_time_order() -> None:
    times = [fact.at for fact in TaxAuthority().day(date(2026, 3, 5))]
    assert times == sorted(times)


def test_an_interval_is_cut_to_the_instant() -> None:
    authority = TaxAuthority(visits_per_day=60)
    start, end = NOON - timedelta(days=2), NOON
    facts = list(itertools.chain.from_iterable(authority.between(start, end)))
    assert facts
    assert all(start <= fact.at < end for fact in facts)


def test_the_newest_day_can_come_first() -> None:
    authority = TaxAuthority(visits_per_day=30)
    start, end = NOON - timedelta(days=2), NOON
    assert list(authority.between(start, end, newest_first=True)) == list(authority.between(start, end))[::-1]


def test_nights_and_sundays_are_quiet(month: list[Fact]) -> None:
    local = [fact.at.astimezone(NAIROBI) for fact in month]
    hours, weekdays = Counter(at.hour for at in local), Counter(at.weekday() for at in local)
    assert hours[3] * 10 < hours[10]
    assert weekdays[6] * 2 < weekdays[1]


def test_returns_pile_up_before_the_deadline(month: list[Fact]) -> None:
    filed = Counter(fact.at.astimezone(NAIROBI).day for fact in month if fact.event["event_name"] == "return_filed")
    assert filed[19] + filed[20] > 1.5 * (filed[10] + filed[11])


@pytest.mark.parametrize("obligation", sorted(JOURNEYS))
def test_every_step_of_a_journey_loses_people_and_none_loses_all(month: list[Fact], obligation: str) -> None:
    reached = Counter(
        fact.event["properties"]["step"]
        for fact in month
        if fact.event["properties"].get("journey") == obligation.upper()
        and "step" in fact.event["properties"]
        and fact.event["event_name"] != "app_error"
    )
    counts = [reached[step.name] for step in JOURNEYS[obligation]]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1] > counts[0] / 6


def test_journey_flags_stand_on_the_first_and_the_last_step(month: list[Fact]) -> None:
    assert {fact.event["properties"]["step"] for fact in month if fact.event.get("journey_start")} == {"start"}
    assert {fact.event["properties"]["step"] for fact in month if fact.event.get("journey_end")} == {"done"}


def test_the_whole_dictionary_of_the_product_occurs(month: list[Fact]) -> None:
    assert names(month).keys() >= {
        "page_view",
        "identify",
        "filing_started",
        "return_filed",
        "payment_success",
        "app_error",
        "signup_completed",
        "message.received",
        "message.sent",
        "message.delivered",
        "message.read",
        "agent.handoff",
        "chat.resolved",
        "csat.sent",
        "csat_submitted",
        "ai.classification",
        "ai.generation",
        "ai.error",
    }


def test_receipts_name_messages_that_were_sent(month: list[Fact]) -> None:
    by_name: dict[str, set[str]] = {}
    for fact in month:
        properties = fact.event["properties"]
        by_name.setdefault(fact.event["event_name"], set()).add(
            properties.get("messageId", properties.get("message_id"))
        )
    assert by_name["message.read"] < by_name["message.delivered"] < by_name["message.sent"]


def test_handshakes_lead_in_both_directions(month: list[Fact]) -> None:
    carriers: dict[str, list[str]] = {}
    for fact in month:
        token = fact.event["context"].get("handshakeToken")
        if token:
            carriers.setdefault(token, []).append(fact.event["context"]["channel"])
    directions = {tuple(dict.fromkeys(channels)) for channels in carriers.values()}
    assert ("whatsapp", "web") in directions
    assert ("web", "whatsapp") in directions


def test_who_is_stuck_in_a_journey_is_handed_to_an_agent_with_its_step(month: list[Fact]) -> None:
    handoffs = [fact.event["properties"] for fact in month if fact.event["event_name"] == "agent.handoff"]
    stuck = [properties for properties in handoffs if "journey" in properties]
    assert len(handoffs) / 10 < len(stuck) < len(handoffs)
    for properties in stuck:
        steps = {step.name for step in JOURNEYS[properties["journey"].lower()]}
        assert properties["journeyStep"] in steps


def test_ratings_are_one_to_five_and_mostly_good(month: list[Fact]) -> None:
    ratings = Counter(
        fact.event["properties"]["rating"] for fact in month if fact.event["event_name"] == "csat_submitted"
    )
    assert set(ratings) <= {1, 2, 3, 4, 5}
    assert ratings[5] > ratings[1]


def test_crawlers_come_but_are_few(month: list[Fact]) -> None:
    crawled = sum(1 for fact in month if fact.client and "compatible;" in fact.client.user_agent)
    assert 0 < crawled < len(month) / 10


def test_people_come_back_on_the_same_device(month: list[Fact]) -> None:
    days: dict[str, set[date]] = {}
    for fact in month:
        if fact.event["anonymous_id"]:
            days.setdefault(fact.event["anonymous_id"], set()).add(fact.at.astimezone(NAIROBI).date())
    assert sum(len(seen) > 1 for seen in days.values()) > len(days) / 10


def test_a_number_is_always_the_same_taxpayer() -> None:
    assert taxpayer(1, 99) == taxpayer(1, 99)
    assert taxpayer(1, 99) != taxpayer(2, 99)


def test_nobody_shares_a_phone() -> None:
    phones = {taxpayer(1, number).phone for number in range(20_000)}
    assert len(phones) == 20_000


def test_every_address_is_where_the_country_database_says_so() -> None:
    path = BUNDLED_COUNTRIES
    if not path.exists():
        pytest.skip("the country database is not built (npm run build)")
    countries = maxminddb.open_database(path)
    rng = random.Random(5)
    for place in PLACES:
        found = [countries.get(choose_address(rng, place)) for _ in range(50)]
        codes = [record.get("country_code") for record in found if isinstance(record, dict)]
        assert codes == [place.country_code] * 50, place.city


def test_every_place_has_networks() -> None:
    assert {place.country_code for place in PLACES} == set(NETWORKS)


def test_the_live_stream_keeps_time_order_and_rate() -> None:
    facts = list(itertools.islice(TaxAuthority().live(NOON, 20.0), 6_000))
    times = [fact.at for fact in facts]
    assert times == sorted(times)
    assert times[0] >= NOON
    assert 12 < len(facts) / (times[-1] - NOON).total_seconds() < 28


def test_every_event_is_plain_json(month: list[Fact]) -> None:
    for fact in month[:500]:
        assert json.loads(json.dumps(fact.event)) == fact.event


def test_impossible_wishes_are_refused() -> None:
    with pytest.raises(ValueError, match="visits_per_day"):
        TaxAuthority(visits_per_day=0)
    with pytest.raises(ValueError, match="events_per_second"):
        next(TaxAuthority().live(NOON, 0))
