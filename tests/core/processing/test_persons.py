"""Who is who in the database: the same for any order, any batches and any repetition of the same events."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from chatnation.core.errors import NotFound
from chatnation.core.identity import actions, queries
from chatnation.core.identity.evidence import Evidence
from chatnation.core.identity.nodes import Kind, Node, leaf_id
from chatnation.core.identity.recomputing import neighbourhood
from chatnation.core.identity.resolution import CROWDED_AFTER_LINKS, SHARED_AFTER_USERS
from chatnation.core.identity.store import IdentityStore
from chatnation.core.ids import uuid7
from chatnation.core.storage.storage import raw
from chatnation.testing.events import Wire, identify, page_view, track, whatsapp_message

if TYPE_CHECKING:
    import asyncpg

    from tests.core.processing.conftest import Intake, MakeIntake

START = datetime.fromisoformat("2026-11-09T08:00:00+00:00")
PHONE = "254711000000"
TOKEN = "cn-0123456789ab"
BROWSER = "0190a000-0000-7000-8000-00000000000a"
LAPTOP = "0190a000-0000-7000-8000-00000000000b"


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def message(phone: str, text: str, minute: int, **options: Any) -> Wire:
    """A WhatsApp message without an anonymous id, as a provider's webhook gives it."""
    return {**whatsapp_message(phone, text, at=at(minute), **options), "anonymous_id": None}


def alias(previous: str, user: str, minute: int) -> Wire:
    event = track("alias", event_type="alias", user=user, at=at(minute), previous_id=previous)
    return {**event, "anonymous_id": None}


async def one_person(intake: Intake, *ids: tuple[Kind, str]) -> bool:
    return len({await intake.person(kind, value) for kind, value in ids}) == 1


async def issues(intake: Intake) -> list[queries.Issue]:
    async with intake.app.storage.tenant(intake.tenant_id) as connection:
        return await queries.issues(connection, intake.tenant_id)


async def test_old_events_count_for_the_person_at_once(intake: Intake) -> None:
    await intake.send(page_view(visitor=BROWSER, at=at(0), properties={"label": "last month"}))
    await intake.send(identify("A1", visitor=BROWSER, at=at(60)))
    persons = await intake.persons_of_events()
    assert persons["last month"] == intake.leaf(Kind.USER, "A1")


async def test_a_login_without_identify_is_enough(intake: Intake) -> None:
    await intake.send(page_view(visitor=BROWSER, at=at(0)), page_view(visitor=BROWSER, user="A1", at=at(1)))
    assert await one_person(intake, (Kind.ANONYMOUS, BROWSER), (Kind.USER, "A1"))


async def test_a_user_on_two_devices_is_one_person(intake: Intake) -> None:
    for browser in (BROWSER, LAPTOP):
        await intake.send(identify("A1", visitor=browser, at=at(0)))
    assert await one_person(intake, (Kind.ANONYMOUS, BROWSER), (Kind.ANONYMOUS, LAPTOP))


async def test_a_link_that_the_bot_sent_joins_the_chat_with_the_browser_that_opens_it(intake: Intake) -> None:
    await intake.send(message(PHONE, "Open https://tax.example/?hs_token=bot-77", 0, sent=True,
                              context={"handshakeToken": "bot-77"}))  # fmt: skip
    await intake.send(page_view(visitor=BROWSER, at=at(5), context={"handshakeToken": "bot-77"}))
    assert await one_person(intake, (Kind.PHONE, PHONE), (Kind.ANONYMOUS, BROWSER))


async def test_a_prefilled_text_joins_the_browser_with_the_chat_that_it_starts(intake: Intake) -> None:
    await intake.send(page_view(visitor=BROWSER, at=at(0), context={"handshakeToken": TOKEN}))
    await intake.send(message(PHONE, f"Hello, I need help. {TOKEN.upper()}", 5))
    assert await one_person(intake, (Kind.PHONE, PHONE), (Kind.ANONYMOUS, BROWSER))


async def test_the_chat_may_be_known_before_the_browser(intake: Intake) -> None:
    await intake.send(message(PHONE, f"Hello {TOKEN}", 5))
    await intake.send(page_view(visitor=BROWSER, at=at(0), context={"handshakeToken": TOKEN}))
    assert await one_person(intake, (Kind.PHONE, PHONE), (Kind.ANONYMOUS, BROWSER))


async def test_a_forwarded_link_does_not_join_the_friend(intake: Intake) -> None:
    await intake.send(message(PHONE, "Open", 0, sent=True, context={"handshakeToken": "bot-77"}))
    await intake.send(page_view(visitor=LAPTOP, at=at(9), context={"handshakeToken": "bot-77"}))
    await intake.send(page_view(visitor=BROWSER, at=at(5), context={"handshakeToken": "bot-77"}))
    assert await one_person(intake, (Kind.PHONE, PHONE), (Kind.ANONYMOUS, BROWSER))
    assert not await one_person(intake, (Kind.PHONE, PHONE), (Kind.ANONYMOUS, LAPTOP))


async def test_two_known_users_on_one_browser_stay_two_and_raise_an_issue(intake: Intake) -> None:
    for minute in range(3):
        await intake.send(identify("A1", visitor=BROWSER, at=at(minute)))
        await intake.send(identify("B2", visitor=BROWSER, at=at(10 + minute)))
    assert not await one_person(intake, (Kind.USER, "A1"), (Kind.USER, "B2"))
    assert await one_person(intake, (Kind.USER, "A1"), (Kind.ANONYMOUS, BROWSER))
    assert [issue.kind for issue in await issues(intake)] == ["two_users"]


async def test_an_alias_joins_two_users_and_settles_the_issue(intake: Intake) -> None:
    await intake.send(identify("A1", visitor=BROWSER, at=at(0)), identify("B2", visitor=BROWSER, at=at(1)))
    await intake.send(alias("A1", "B2", 5))
    assert await one_person(intake, (Kind.USER, "A1"), (Kind.USER, "B2"), (Kind.ANONYMOUS, BROWSER))
    assert await issues(intake) == []


async def test_an_alias_may_come_before_either_id_was_seen(intake: Intake) -> None:
    await intake.send(alias(BROWSER, "A1", 0))
    await intake.send(page_view(visitor=BROWSER, at=at(5), properties={"label": "page"}))
    assert (await intake.persons_of_events())["page"] == await intake.person(Kind.USER, "A1")


async def test_a_shared_computer_joins_none_of_its_users(intake: Intake) -> None:
    users = [f"U{number}" for number in range(SHARED_AFTER_USERS + 1)]
    for minute, user in enumerate(users):
        await intake.send(identify(user, visitor=BROWSER, at=at(minute)))
    persons = {await intake.person(Kind.USER, user) for user in users}
    assert len(persons) == len(users)
    assert await intake.person(Kind.ANONYMOUS, BROWSER) == intake.leaf(Kind.ANONYMOUS, BROWSER)
    assert "shared_id" in {issue.kind for issue in await issues(intake)}


async def test_a_computer_that_turns_out_to_be_shared_lets_go_of_what_it_joined(intake: Intake) -> None:
    await intake.send(page_view(visitor=BROWSER, at=at(0), context={"handshakeToken": TOKEN}))
    await intake.send(message(PHONE, TOKEN, 1))
    await intake.send(identify("U0", visitor=BROWSER, at=at(2)))
    assert await one_person(intake, (Kind.PHONE, PHONE), (Kind.USER, "U0"))
    for number in range(1, SHARED_AFTER_USERS + 1):
        await intake.send(identify(f"U{number}", visitor=BROWSER, at=at(2 + number)))
    assert not await one_person(intake, (Kind.PHONE, PHONE), (Kind.USER, "U0"))


async def test_a_user_id_that_everybody_sends_joins_nobody_and_slows_nobody_down(intake: Intake) -> None:
    browsers = [str(UUID(int=number)) for number in range(1, CROWDED_AFTER_LINKS + 2)]
    await intake.send(*(page_view(visitor=browser, user="web", at=at(0)) for browser in browsers[:-1]))
    assert await one_person(intake, (Kind.ANONYMOUS, browsers[0]), (Kind.ANONYMOUS, browsers[1]))
    await intake.send(page_view(visitor=browsers[-1], user="web", at=at(0)))
    assert await intake.value("SELECT count(*) FROM person_merges") == 0
    assert [issue.kind for issue in await issues(intake)] == ["crowded_id"]
    async with intake.app.storage.tenant(intake.tenant_id) as connection:
        found = await neighbourhood(await raw(connection), intake.tenant_id, [intake.leaf(Kind.USER, "web")])
    assert len(found.kinds) == 1


async def test_a_contact_without_a_phone_number_is_joined_with_its_browser_and_later_its_number(
    intake: Intake,
) -> None:
    handle = "KE.13491208655302741918"
    hidden = {**message("", TOKEN, 1), "user_id": handle, "context": {"channel": "whatsapp"},
              "properties": {"text": {"body": TOKEN}}}  # fmt: skip
    await intake.send(identify("A012345678Z", visitor=BROWSER, at=at(0), context={"handshakeToken": TOKEN}), hidden)
    assert await one_person(intake, (Kind.USER, "A012345678Z"), (Kind.HANDLE, handle))
    await intake.send({**message(PHONE, "Here is my number", 9), "user_id": handle})
    assert await one_person(intake, (Kind.USER, "A012345678Z"), (Kind.HANDLE, handle), (Kind.PHONE, PHONE))


async def test_bad_ids_join_nobody_and_are_shown(intake: Intake) -> None:
    await intake.send(page_view(visitor=BROWSER, user="guest"), page_view(visitor=LAPTOP, user="guest"))
    assert not await one_person(intake, (Kind.ANONYMOUS, BROWSER), (Kind.ANONYMOUS, LAPTOP))
    assert {issue.subject for issue in await issues(intake) if issue.kind == "meaningless_id"} == {"guest"}
    assert await intake.value("SELECT count(user_id) FROM events WHERE tenant_id = :tenant") == 0


async def test_the_newest_trait_wins_whatever_comes_first(intake: Intake) -> None:
    await intake.send(identify("A1", {"name": "New", "email": "a@x.org"}, visitor=BROWSER, at=at(9)))
    await intake.send(identify("A1", {"name": "Old", "city": "Nairobi"}, visitor=BROWSER, at=at(1)))
    await intake.send(identify("A1", {"email": None}, visitor=LAPTOP, at=at(10)))
    async with intake.app.storage.tenant(intake.tenant_id) as connection:
        person = await intake.person(Kind.ANONYMOUS, LAPTOP)
        assert await queries.traits(connection, intake.tenant_id, person) == {"name": "New", "city": "Nairobi"}


async def test_when_a_person_was_seen_is_known_to_the_minute(intake: Intake) -> None:
    for minute, second in ((5, 30), (2, 59), (7, 1)):
        await intake.send(page_view(visitor=BROWSER, at=at(minute) + timedelta(seconds=second)))
    async with intake.app.storage.tenant(intake.tenant_id) as connection:
        view = await queries.view(connection, intake.tenant_id, intake.leaf(Kind.ANONYMOUS, BROWSER))
    assert view is not None
    assert (view.first_seen, view.last_seen) == (at(2), at(7))


async def test_familiar_visitors_cost_no_write(intake: Intake) -> None:
    def visit() -> Wire:
        return page_view(visitor=BROWSER, user="A1", at=at(0), context={"handshakeToken": TOKEN})

    await intake.send(visit())
    changed_by = "SELECT xmin::text FROM identities UNION ALL SELECT xmin::text FROM identity_links"
    before = await intake.rows(changed_by)
    await intake.send(visit())
    assert await intake.rows(changed_by) == before


# --- split and undo --------------------------------------------------------------------------------


async def merge_entries(intake: Intake, action: str) -> list[queries.LogEntry]:
    async with intake.app.storage.tenant(intake.tenant_id) as connection:
        return [entry for entry in await queries.log_entries(connection, intake.tenant_id) if entry.action == action]


async def test_a_merge_can_be_undone_and_stays_undone(intake: Intake) -> None:
    events = [
        page_view(visitor=BROWSER, at=at(0), context={"handshakeToken": TOKEN}),
        message(PHONE, TOKEN, 1),
        identify("A1", visitor=BROWSER, at=at(2)),
    ]
    await intake.send(*events)
    async with intake.app.storage.tenant(intake.tenant_id) as connection:
        x, y = intake.leaf(Kind.PHONE, PHONE), intake.leaf(Kind.USER, "A1")
        await actions.split(connection, intake.tenant_id, x, y, by="an operator")
    assert not await one_person(intake, (Kind.PHONE, PHONE), (Kind.USER, "A1"))
    again = [{**event, "event_id": event["event_id"][:-4] + "ffff"} for event in events]
    await intake.send(*again, page_view(visitor=BROWSER, user="A1", at=at(-5)))
    assert not await one_person(intake, (Kind.PHONE, PHONE), (Kind.USER, "A1"))


async def test_a_split_pair_stays_split_when_another_source_says_the_same(intake: Intake) -> None:
    await intake.send(page_view(visitor=BROWSER, user="A1", at=at(0)))
    async with intake.app.storage.tenant(intake.tenant_id) as connection:
        x, y = intake.leaf(Kind.ANONYMOUS, BROWSER), intake.leaf(Kind.USER, "A1")
        await actions.split(connection, intake.tenant_id, x, y, by="an operator")
    await intake.send(identify("A1", visitor=BROWSER, at=at(1)))
    assert not await one_person(intake, (Kind.ANONYMOUS, BROWSER), (Kind.USER, "A1"))


async def test_a_merge_is_undone_from_its_log_entry_and_the_split_is_taken_back(intake: Intake) -> None:
    await intake.send(identify("A1", visitor=BROWSER, at=at(0)))
    await intake.send(identify("A1", visitor=LAPTOP, at=at(1)))
    merge = (await merge_entries(intake, "merge"))[0]
    assert merge.leaf_ids == (intake.leaf(Kind.ANONYMOUS, LAPTOP),)
    async with intake.app.storage.tenant(intake.tenant_id) as connection:
        await actions.undo_merge(connection, intake.tenant_id, merge.id, by="an operator")
    assert not await one_person(intake, (Kind.USER, "A1"), (Kind.ANONYMOUS, LAPTOP))
    assert await one_person(intake, (Kind.USER, "A1"), (Kind.ANONYMOUS, BROWSER))
    split = (await merge_entries(intake, "split"))[0]
    assert split.detail["by"] == "an operator"
    async with intake.app.storage.tenant(intake.tenant_id) as connection:
        with pytest.raises(actions.NotJoined):
            await actions.undo_merge(connection, intake.tenant_id, merge.id, by="an operator")
    async with intake.app.storage.tenant(intake.tenant_id) as connection:
        await actions.undo_split(connection, intake.tenant_id, split.id, by="an operator")
    assert await one_person(intake, (Kind.USER, "A1"), (Kind.ANONYMOUS, LAPTOP))


async def test_an_operator_joins_two_users(intake: Intake) -> None:
    await intake.send(identify("A1", visitor=BROWSER, at=at(0)), identify("B2", visitor=BROWSER, at=at(1)))
    async with intake.app.storage.tenant(intake.tenant_id) as connection:
        x, y = intake.leaf(Kind.USER, "A1"), intake.leaf(Kind.USER, "B2")
        await actions.join(connection, intake.tenant_id, x, y, at=at(9), by="an operator")
    assert await one_person(intake, (Kind.USER, "A1"), (Kind.USER, "B2"))
    assert await issues(intake) == []


async def test_the_log_of_another_tenant_cannot_be_undone(intake: Intake) -> None:
    await intake.send(identify("A1", visitor=BROWSER, at=at(0)))
    merge = (await merge_entries(intake, "merge"))[0]
    other = await intake.running.source()
    async with intake.app.storage.tenant(other.tenant.id) as connection:
        with pytest.raises(NotFound):
            await actions.undo_merge(connection, other.tenant.id, merge.id, by="somebody else")


# --- reading ---------------------------------------------------------------------------------------


async def test_a_person_is_found_and_shown_by_any_of_their_ids(intake: Intake) -> None:
    await intake.send(
        page_view(visitor=BROWSER, at=at(0), context={"handshakeToken": TOKEN}),
        message(PHONE, TOKEN, 1),
        identify("A1", {"name": "Asha"}, visitor=BROWSER, at=at(2)),
    )
    person = await intake.person(Kind.USER, "A1")
    async with intake.app.storage.tenant(intake.tenant_id) as connection:
        for known in ("A1", f"+{PHONE}", BROWSER, TOKEN, str(person), str(intake.leaf(Kind.PHONE, PHONE))):
            assert await queries.find(connection, intake.tenant_id, known) == [person], known
        view = await queries.view(connection, intake.tenant_id, intake.leaf(Kind.PHONE, PHONE))
        leafs = await queries.leaf_ids(connection, intake.tenant_id, intake.leaf(Kind.HANDSHAKE, TOKEN))
    assert view is not None
    assert view.person_id == person
    assert [identity.kind for identity in view.identities] == ["user", "phone", "anonymous", "handshake"]
    assert view.traits == {"name": "Asha"}
    assert leafs[0] == person
    assert len(leafs) == 4


# --- many workers, any order -----------------------------------------------------------------------


async def test_workers_that_meet_a_stranger_at_the_same_instant_all_write_it_down(intake: Intake) -> None:
    store, tenant_id = IdentityStore(), intake.tenant_id

    async def see(pool: asyncpg.Pool[Any], value: str) -> None:
        evidence = Evidence()
        evidence.see(Node(leaf_id(tenant_id, Kind.ANONYMOUS, value), Kind.ANONYMOUS, value), at(0), at(0))
        async with pool.acquire() as connection:
            await store.record_sightings(connection, tenant_id, evidence)

    async with intake.app.storage.pool(4) as pool:
        for _ in range(600):
            stranger = str(uuid7())
            await asyncio.gather(*(see(pool, stranger) for _ in range(4)))
    assert await intake.rows("SELECT count(*) FROM identities WHERE tenant_id = :tenant") == [(600,)]


async def test_two_workers_that_link_the_same_persons_agree(intake: Intake, make_intake: MakeIntake) -> None:
    other = await make_intake(like=intake)
    rounds = [(str(UUID(int=number + 1)), f"U{number}", f"2547110001{number:02}", f"cn-0000000000{number:02}")
              for number in range(30)]  # fmt: skip
    # Everybody is known beforehand, so that the workers meet at the links only.
    for browser, user, phone, token in rounds:
        await intake.send(page_view(visitor=browser, at=at(0)), page_view(user=user, at=at(0)), message(phone, "", 0))
        await intake.send(page_view(context={"handshakeToken": token}, at=at(0)))
    for browser, user, phone, token in rounds:
        carried = page_view(visitor=browser, at=at(0), context={"handshakeToken": token})
        await asyncio.gather(
            intake.send({**carried, "timestamp": at(-1).isoformat()}),
            other.send(page_view(visitor=browser, user=user, at=at(0))),
            intake.send(message(phone, token, 0)),
        )
    for browser, user, phone, _ in rounds:
        assert await one_person(intake, (Kind.ANONYMOUS, browser), (Kind.USER, user), (Kind.PHONE, phone))


BROWSERS = [str(UUID(int=number)) for number in range(1, 4)]
USERS = ["A1", "B2", "guest"]
PHONES = ["254711000001", "254711000002"]
TOKENS = ["cn-00000000000a", "cn-00000000000b"]


def story(seed: int) -> list[Wire]:
    """Events of a few people that get mixed up in every way."""
    chance = random.Random(seed)
    browser, user = lambda: chance.choice(BROWSERS), lambda: chance.choice(USERS)
    phone, token = lambda: chance.choice(PHONES), lambda: chance.choice(TOKENS)
    when = lambda: chance.randrange(12)  # noqa: E731
    tellers: dict[str, Callable[[], Wire]] = {
        "login": lambda: page_view(visitor=browser(), user=user(), at=at(when())),
        "token": lambda: page_view(visitor=browser(), at=at(when()), context={"handshakeToken": token()}),
        "identify": lambda: identify(
            chance.choice([user(), phone()]), {"name": chance.choice("xyz")}, visitor=browser(), at=at(when())
        ),
        "message": lambda: message(phone(), chance.choice(["hi", token()]), when()),
        "alias": lambda: alias(chance.choice([user(), browser(), phone()]), user(), when()),
    }
    weights = {"login": 4, "identify": 5, "token": 3, "message": 3, "alias": 1}
    names = chance.choices(list(weights), list(weights.values()), k=chance.randrange(4, 16))
    return [tellers[name]() for name in names]


async def picture(intake: Intake) -> tuple[object, object]:
    """Who is who, and what is known of them."""
    persons = await intake.rows(
        "SELECT leaf_id, coalesce(person_id, leaf_id)"
        " FROM identities LEFT JOIN person_merges USING (tenant_id, leaf_id)"
    )
    of_leaf = dict(map(tuple, persons))
    async with intake.app.storage.tenant(intake.tenant_id) as connection:
        traits = {
            person: await queries.traits(connection, intake.tenant_id, person) for person in set(of_leaf.values())
        }
    return of_leaf, traits


async def start_anew(intake: Intake) -> None:
    tables = ("events", "event_keys", "identities", "identity_links", "identity_log", "identity_issues")
    async with intake.app.storage.tenant(intake.tenant_id) as connection:
        for table in (*tables, "person_merges", "person_traits"):
            await connection.execute(text(f"DELETE FROM {table}"))
    intake.pipeline.forget()


@given(seed=st.integers(0, 1_000_000_000))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_order_batches_and_repetition_do_not_matter(intake: Intake, seed: int) -> None:
    events, shuffler = story(seed), random.Random(seed)
    await start_anew(intake)
    await intake.send(*events)
    expected = await picture(intake)
    await start_anew(intake)
    left = [*events, *events[::2]]
    shuffler.shuffle(left)
    while left:
        size = min(len(left), shuffler.randint(1, 6))
        await intake.send(*left[:size])
        left = left[size:]
    assert await picture(intake) == expected
