"""The tracker in a real browser, against a server that records what arrives."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import anyio
import pytest
from playwright.async_api import BrowserContext, Page

from chatnation.plugins.sdk.api import HANDSHAKE_TOKEN, STUB_METHODS, loader_snippet, script_tag

KEY = "wk_test"


async def until(condition: Callable[[], Any], what: str = "it", seconds: float = 30) -> Any:
    """Polls until `condition` is true and returns its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        await anyio.sleep(0.02)
    return value


async def start(page: Page, url: str, functions: str = "", **options: Any) -> None:
    """Open `url` and start the tracker there; losses are collected in `window.losses`."""
    await page.goto(url)
    await page.evaluate(
        "([key, options]) => { window.losses = [];"
        f" chatnation.init(key, {{onError: loss => losses.push(loss), {functions} ...options}}); }}",
        [KEY, options],
    )


async def tick_until(page: Page, condition: Callable[[], Any], most: int = 500) -> None:
    """Moves a clock that stands still, by `most` milliseconds at the most, until `condition` is true."""
    for _ in range(0, most, 10):
        if condition():
            return
        await page.clock.run_for(10)
    await until(condition)


def exactly_once(events: list[dict[str, Any]], count: int) -> bool:
    ids = Counter(event["message_id"] for event in events)
    return len(ids) == count and set(ids.values()) == {1}


class TestTheWire:
    async def test_a_page_view_has_everything_the_server_reads(self, browser_page: Page, site: Any, recorder: Any):
        await start(browser_page, site.url + "/file?a=1")
        await browser_page.evaluate("chatnation.page({section: 'tax'}); chatnation.flush()")
        batch = await until(lambda: recorder.received and recorder.received[0])

        assert batch.headers["x-write-key"] == KEY
        assert batch.headers["content-type"] == "application/json"
        assert batch.body["write_key"] == KEY
        assert datetime.fromisoformat(batch.body["sent_at"]) - datetime.now(UTC) < timedelta(minutes=1)
        [event] = batch.events
        assert (event["event_name"], event["event_type"], event["sequence"]) == ("page_view", "page", 1)
        assert event["properties"] == {"section": "tax"}
        assert datetime.fromisoformat(event["timestamp"]).tzinfo == UTC
        assert {UUID(event[name]).version for name in ("message_id", "anonymous_id", "session_id")} == {7}
        assert "user_id" not in event
        context = event["context"]
        assert context["library"] == {"name": "chatnation-js", "version": "1.0.0"}
        assert context["page"] == {
            "path": "/file",
            "url": site.url + "/file?a=1",
            "title": "Page /file",
            "referrer": "",
            "search": "?a=1",
        }
        assert "Chrome" in context["userAgent"]
        assert context["locale"] == "en-US"
        assert context["screen"] == {"width": 1280, "height": 720}
        assert context["channel"] == "web"
        assert set(context) == {"library", "page", "userAgent", "locale", "screen", "channel"}

    async def test_locale_and_screen_go_with_page_views_only(self, browser_page: Page, site: Any, recorder: Any):
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('click', {n: 1}); chatnation.flush()")
        [event] = await until(lambda: recorder.accepted)
        assert set(event["context"]) == {"library", "page", "userAgent", "channel"}

    async def test_events_of_a_page_are_numbered_and_their_ids_sort_like_them(
        self, browser_page: Page, site: Any, recorder: Any
    ):
        await start(browser_page, site.url, batchSize=50)
        await browser_page.evaluate("for (let i = 0; i < 50; i++) chatnation.track('e' + i)")
        events = await until(lambda: recorder.accepted)
        assert [event["sequence"] for event in events] == list(range(1, 51))
        ids = [event["message_id"] for event in events]
        assert ids == sorted(ids)
        assert recorder.names() == [f"e{i}" for i in range(50)]

    async def test_journey_flags_stand_beside_the_properties(self, browser_page: Page, site: Any, recorder: Any):
        await start(browser_page, site.url)
        await browser_page.evaluate(
            "chatnation.track('start', {step: 'home'}, {journeyStart: true});"
            "chatnation.track('end', {}, {journeyEnd: true}); chatnation.track('other'); chatnation.flush()"
        )
        first, last, other = await until(lambda: recorder.accepted)
        assert first["journey_start"] is True
        assert "journey_end" not in first
        assert last["journey_end"] is True
        assert not {"journey_start", "journey_end"} & set(other)

    async def test_identify_names_the_visitor_from_then_on(self, browser_page: Page, site: Any, recorder: Any):
        await start(browser_page, site.url)
        await browser_page.evaluate(
            "chatnation.track('before'); chatnation.identify(4711, {name: 'Amina'}); chatnation.track('after');"
            "chatnation.flush()"
        )
        before, identify, after = await until(lambda: recorder.accepted)
        assert "user_id" not in before
        assert (identify["event_name"], identify["event_type"]) == ("identify", "identify")
        assert identify["user_id"] == after["user_id"] == "4711"
        assert identify["properties"] == {"name": "Amina"}
        assert len({event["anonymous_id"] for event in (before, identify, after)}) == 1

    @pytest.mark.parametrize("missing", ["null", "undefined", "''"])
    async def test_identify_without_an_id_only_sets_traits(
        self, browser_page: Page, site: Any, recorder: Any, missing: str
    ):
        await start(browser_page, site.url)
        await browser_page.evaluate(f"chatnation.identify({missing}, {{city: 'Nairobi'}}); chatnation.flush()")
        [event] = await until(lambda: recorder.accepted)
        assert "user_id" not in event
        assert event["properties"] == {"city": "Nairobi"}

    async def test_alias_names_both_ids(self, browser_page: Page, site: Any, recorder: Any):
        await start(browser_page, site.url)
        await browser_page.evaluate(
            "window.anonymous = chatnation.ids().anonymousId; chatnation.alias('A1'); chatnation.alias('B2');"
            "chatnation.alias('C3', 'old'); chatnation.flush()"
        )
        events = await until(lambda: recorder.accepted)
        anonymous = await browser_page.evaluate("anonymous")
        assert [(event["previous_id"], event["user_id"]) for event in events] == [
            (anonymous, "A1"),
            ("A1", "B2"),
            ("old", "C3"),
        ]
        assert {(event["event_name"], event["event_type"]) for event in events} == {("alias", "alias")}

    async def test_reset_makes_the_next_visitor_somebody_else(self, browser_page: Page, site: Any, recorder: Any):
        await start(browser_page, site.url + "/?hs_token=abc&utm_source=bot")
        await browser_page.evaluate(
            "chatnation.identify('A1'); chatnation.reset(); chatnation.track('next'); chatnation.flush()"
        )
        first, second = await until(lambda: recorder.accepted)
        assert first["context"]["handshakeToken"] == "abc"
        assert first["anonymous_id"] != second["anonymous_id"]
        assert first["session_id"] != second["session_id"]
        assert second["sequence"] == 1
        assert "user_id" not in second
        assert not {"handshakeToken", "campaign"} & set(second["context"])

    async def test_ids_are_those_of_the_events(self, browser_page: Page, site: Any, recorder: Any):
        await start(browser_page, site.url)
        ids = await browser_page.evaluate("chatnation.ids()")
        await browser_page.evaluate("chatnation.identify('A1'); chatnation.flush()")
        [event] = await until(lambda: recorder.accepted)
        assert ids == {"anonymousId": event["anonymous_id"], "sessionId": event["session_id"]}
        assert (await browser_page.evaluate("chatnation.ids()"))["userId"] == "A1"

    async def test_the_last_word_is_the_sites(self, browser_page: Page, site: Any, recorder: Any):
        await start(
            browser_page,
            site.url,
            functions="beforeSend: e => e.event_name === 'secret' ? null : {...e, properties: {masked: true}},",
        )
        await browser_page.evaluate(
            "chatnation.track('secret'); chatnation.track('open', {pin: 'A1'}); chatnation.flush()"
        )
        [event] = await until(lambda: recorder.accepted)
        assert (event["event_name"], event["properties"]) == ("open", {"masked": True})


@pytest.mark.usefixtures("failing_requests")
class TestBatches:
    async def test_ten_events_leave_at_once(self, browser_page: Page, site: Any, recorder: Any):
        await browser_page.clock.install()
        await start(browser_page, site.url)
        await browser_page.evaluate("for (let i = 0; i < 10; i++) chatnation.track('e')")
        await until(lambda: len(recorder.accepted) == 10)
        assert len(recorder.received) == 1

    async def test_fewer_wait_five_seconds(self, browser_page: Page, site: Any, recorder: Any):
        await browser_page.clock.install()
        await browser_page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))
        await start(browser_page, site.url)
        await browser_page.evaluate("for (let i = 0; i < 9; i++) chatnation.track('e')")
        await browser_page.clock.run_for(4_900)
        assert not recorder.received
        await tick_until(browser_page, lambda: len(recorder.accepted) == 9)

    async def test_a_backlog_is_split_by_count_and_by_size(
        self, browser_page: Page, browser_context: BrowserContext, site: Any, recorder: Any
    ):
        await start(browser_page, site.url, maxQueueSize=3000)
        await browser_context.set_offline(True)
        await browser_page.evaluate("for (let i = 0; i < 600; i++) chatnation.track('small', {i})")
        await browser_page.evaluate(
            "for (let i = 0; i < 40; i++) chatnation.track('big', {i, text: 'ü'.repeat(20000)})"
        )
        await browser_context.set_offline(False)
        await until(lambda: len(recorder.accepted) == 640)
        assert exactly_once(recorder.accepted, 640)
        assert [event["properties"]["i"] for event in recorder.accepted] == [*range(600), *range(40)]
        assert max(len(batch.events) for batch in recorder.received) == 500
        assert max(batch.size for batch in recorder.received) <= 1_000_000
        assert len(recorder.received) == 3

    async def test_a_proxy_that_allows_less_gets_smaller_requests(
        self, browser_page: Page, site: Any, recorder: Any, answer: Any
    ):
        recorder.answers.extend([answer(413), answer(413)])
        await start(browser_page, site.url, batchSize=8)
        await browser_page.evaluate("for (let i = 0; i < 8; i++) chatnation.track('e')")
        await until(lambda: len(recorder.accepted) == 8)
        assert [len(batch.events) for batch in recorder.received] == [8, 4, 2, 2, 2, 2]

    async def test_an_event_that_no_request_can_hold_is_reported(self, browser_page: Page, site: Any, recorder: Any):
        await start(browser_page, site.url)
        await browser_page.evaluate(
            "chatnation.track('huge', {text: 'x'.repeat(1e6)}); chatnation.track('ok'); chatnation.flush()"
        )
        await until(lambda: recorder.names() == ["ok"])
        [loss] = await browser_page.evaluate("losses")
        assert loss["reason"] == "too_large"

    async def test_what_is_not_json_is_reported_and_never_thrown(self, browser_page: Page, site: Any, recorder: Any):
        await start(browser_page, site.url)
        await browser_page.evaluate(
            "const loop = {}; loop.self = loop; chatnation.track('loop', loop); chatnation.track('big', {n: 1n});"
            "chatnation.track('ok'); chatnation.flush()"
        )
        await until(lambda: recorder.names() == ["ok"])
        assert [loss["reason"] for loss in await browser_page.evaluate("losses")] == ["invalid", "invalid"]


@pytest.mark.usefixtures("failing_requests")
class TestOffline:
    async def test_events_wait_for_the_network(
        self, browser_page: Page, browser_context: BrowserContext, site: Any, recorder: Any
    ):
        await start(browser_page, site.url)
        await browser_context.set_offline(True)
        await browser_page.evaluate("for (let i = 0; i < 25; i++) chatnation.track('e' + i)")
        await browser_page.evaluate("chatnation.flush()")
        assert not recorder.received
        await browser_context.set_offline(False)
        await until(lambda: len(recorder.accepted) == 25)
        assert recorder.names() == [f"e{i}" for i in range(25)]
        assert exactly_once(recorder.accepted, 25)
        assert await browser_page.evaluate("losses") == []

    async def test_they_survive_a_reload(self, browser_page: Page, site: Any, recorder: Any, answer: Any):
        recorder.answers.append(answer(503, headers={"Retry-After": "1"}))
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('one'); chatnation.track('two'); chatnation.flush()")
        await until(lambda: recorder.received)
        await start(browser_page, site.url + "/next")
        await until(lambda: len(recorder.accepted) == 2)
        assert recorder.received[0].message_ids == recorder.received[1].message_ids
        await browser_page.wait_for_function("!Object.keys(localStorage).some(key => key.startsWith('cn.q.'))")

    async def test_they_survive_a_browser_that_leaves_while_offline(
        self, browser_context: BrowserContext, site: Any, recorder: Any
    ):
        page = await browser_context.new_page()
        await start(page, site.url)
        await browser_context.set_offline(True)
        await page.evaluate("chatnation.track('kept')")
        await page.close()
        assert not recorder.received
        await browser_context.set_offline(False)
        await start(await browser_context.new_page(), site.url)
        await until(lambda: recorder.names() == ["kept"])

    async def test_the_oldest_are_dropped_from_a_full_queue_and_reported(
        self, browser_page: Page, browser_context: BrowserContext, site: Any, recorder: Any
    ):
        await start(browser_page, site.url, maxQueueSize=20)
        await browser_context.set_offline(True)
        await browser_page.evaluate("for (let i = 0; i < 25; i++) chatnation.track('e' + i)")
        losses = await browser_page.evaluate("losses")
        assert [loss["reason"] for loss in losses] == ["overflow"] * 5
        await browser_context.set_offline(False)
        await until(lambda: recorder.names() == [f"e{i}" for i in range(5, 25)])

    async def test_a_queue_is_bounded_in_size_too(self, browser_page: Page, browser_context: BrowserContext, site: Any):
        await start(browser_page, site.url)
        await browser_context.set_offline(True)
        await browser_page.evaluate("for (let i = 0; i < 30; i++) chatnation.track('e', {text: 'x'.repeat(1e5)})")
        kept = await browser_page.evaluate("Object.values(localStorage).join('').length")
        assert 1_800_000 < kept < 2_100_000

    async def test_a_site_that_filled_the_storage_still_delivers(self, browser_page: Page, site: Any, recorder: Any):
        await browser_page.goto(site.url)
        await browser_page.evaluate(
            "let size = 4e6; while (size >= 1) { try { localStorage.setItem('full' + size, 'x'.repeat(size)) }"
            " catch {} size = Math.floor(size / 2) }"
        )
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('a'); chatnation.track('b'); chatnation.flush()")
        first, second = await until(lambda: recorder.accepted)
        assert first["session_id"] == second["session_id"]
        assert [first["sequence"], second["sequence"]] == [1, 2]

    async def test_a_browser_without_storage_still_delivers(self, browser_page: Page, site: Any, recorder: Any):
        await browser_page.add_init_script(
            "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
        )
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('a'); chatnation.track('b'); chatnation.flush()")
        first, second = await until(lambda: recorder.accepted)
        assert first["anonymous_id"] == second["anonymous_id"]
        assert [first["sequence"], second["sequence"]] == [1, 2]

    async def test_foreign_hands_in_the_storage_do_no_harm(self, browser_page: Page, site: Any, recorder: Any):
        await browser_page.goto(site.url)
        await browser_page.evaluate("for (const key of 'sfr') localStorage.setItem('cn.' + key, '{broken')")
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('a'); chatnation.flush()")
        await until(lambda: recorder.names() == ["a"])

    async def test_events_are_given_up_after_seven_days_and_reported(
        self, browser_page: Page, site: Any, recorder: Any, answer: Any
    ):
        await browser_page.clock.install()
        recorder.answers.append(answer(503))
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('old'); chatnation.flush()")
        await until(lambda: recorder.received)
        await browser_page.goto("about:blank")
        await browser_page.clock.fast_forward(timedelta(days=7, minutes=1) // timedelta(milliseconds=1))
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('new'); chatnation.flush()")
        await until(lambda: recorder.names() == ["new"])
        [loss] = await browser_page.evaluate("losses")
        assert loss["reason"] == "expired"
        assert loss["messageIds"] == recorder.received[0].message_ids


WITHOUT_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', {value: undefined})"


@pytest.mark.usefixtures("failing_requests")
@pytest.mark.parametrize("locks", [True, False], ids=["with locks", "without locks"])
class TestTwoTabs:
    async def _two(self, context: BrowserContext, url: str, locks: bool, **options: Any) -> list[Page]:
        pages = []
        for _ in range(2):
            page = await context.new_page()
            if not locks:
                await page.add_init_script(WITHOUT_LOCKS)
            await start(page, url, **options)
            await page.evaluate("chatnation.ids()")
            pages.append(page)
        return pages

    def _by_id(self, events: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
        distinct = {event["message_id"]: event for event in events}
        return list(distinct.values()) if len(distinct) == count else []

    async def test_send_every_event_once(self, browser_context: BrowserContext, site: Any, recorder: Any, locks: bool):
        pages = await self._two(browser_context, site.url, locks, flushIntervalMs=50, batchSize=7)
        script = (
            "tab => new Promise(done => { let i = 0; const id = setInterval(() => {"
            " chatnation.track('e', {tab, i}); if (++i == 60) { clearInterval(id); done(); } }, 5) })"
        )
        async with anyio.create_task_group() as tasks:
            for tab, page in enumerate(pages):
                tasks.start_soon(page.evaluate, script, tab)
        await until(lambda: len({event["message_id"] for event in recorder.accepted}) == 120)
        # Without locks a tab may read the other's lease late, and the server drops what comes again under its id;
        # without leases nearly everything would come twice.
        assert exactly_once(recorder.accepted, 120) if locks else len(recorder.accepted) < 180
        accepted = self._by_id(recorder.accepted, 120)
        assert len({event["session_id"] for event in accepted}) == 1
        assert len({event["anonymous_id"] for event in accepted}) == 1
        for tab in range(2):
            mine = [event for event in accepted if event["properties"]["tab"] == tab]
            numbers = [event["sequence"] for event in sorted(mine, key=lambda event: event["message_id"])]
            assert numbers == sorted(set(numbers)), "numbers of one tab rise"

    async def test_one_delivers_what_the_other_left(
        self,
        browser_context: BrowserContext,
        site: Any,
        recorder: Any,
        locks: bool,
    ):
        stays, leaves = await self._two(browser_context, site.url, locks)
        await browser_context.set_offline(True)
        await leaves.evaluate("for (let i = 0; i < 15; i++) chatnation.track('left')")
        await leaves.close()
        await stays.evaluate("chatnation.track('stayed')")
        await browser_context.set_offline(False)
        # Without locks nobody can tell that a tab died while it was sending, until its lease is over.
        # What it sent as it died may arrive after all, and is sent again: the message ids tell.
        delivered = await until(lambda: self._by_id(recorder.accepted, 16), seconds=30 if locks else 60)
        assert Counter(event["event_name"] for event in delivered) == {"left": 15, "stayed": 1}

    async def test_one_waits_as_long_as_the_other_was_told(
        self,
        browser_context: BrowserContext,
        site: Any,
        recorder: Any,
        answer: Any,
        locks: bool,
    ):
        first, second = await self._two(browser_context, site.url, locks)
        recorder.answers.append(answer(429, headers={"Retry-After": "2"}))
        await first.evaluate("chatnation.track('a'); chatnation.flush()")
        await until(lambda: recorder.received)
        # What one tab writes, another one reads a little later.
        await second.wait_for_function("localStorage.getItem('cn.r')")
        await second.evaluate("chatnation.track('b'); chatnation.flush()")
        await until(lambda: self._by_id(recorder.accepted, 2))
        refused, *later = [datetime.fromisoformat(batch.body["sent_at"]) for batch in recorder.received]
        assert all(sent - refused >= timedelta(seconds=2) for sent in later)
        # Without locks each tab may have taken one of them.
        assert len(later) == 1 or not locks


@pytest.mark.usefixtures("failing_requests")
class TestLeaving:
    async def test_a_page_sends_its_last_events_as_it_goes(self, browser_page: Page, site: Any, recorder: Any):
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('last')")
        await browser_page.goto("about:blank")
        batch = await until(lambda: recorder.received and recorder.received[0])
        assert [event["event_name"] for event in batch.events] == ["last"]
        assert batch.headers["content-type"].startswith("text/plain")
        assert "x-write-key" not in batch.headers
        assert batch.body["write_key"] == KEY

    async def test_a_browser_without_keepalive_sends_a_beacon(self, browser_page: Page, site: Any, recorder: Any):
        await browser_page.add_init_script(
            "delete Request.prototype.keepalive; window.beacons = 0;"
            "const send = navigator.sendBeacon.bind(navigator);"
            "navigator.sendBeacon = (...args) => { localStorage.beacons = 1; return send(...args); }"
        )
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('last')")
        await browser_page.goto(site.url + "/next")
        await until(lambda: recorder.names() == ["last"])
        assert await browser_page.evaluate("localStorage.beacons") == "1"
        assert recorder.received[0].headers["content-type"].startswith("text/plain")

    async def test_a_hidden_page_sends_and_believes_the_answer(
        self, browser_page: Page, site: Any, recorder: Any, answer: Any
    ):
        recorder.answers.append(answer(503, headers={"Retry-After": "1"}))
        await start(browser_page, site.url)
        await browser_page.evaluate(
            "chatnation.track('last');"
            "Object.defineProperty(document, 'hidden', {value: true});"
            "document.dispatchEvent(new Event('visibilitychange'));"
            "dispatchEvent(new PageTransitionEvent('pagehide'))"
        )
        await until(lambda: recorder.accepted)
        assert len(recorder.received) == 2, "sent once, refused, sent again; the second signal of leaving sent nothing"
        assert recorder.received[0].message_ids == recorder.received[1].message_ids

    async def test_what_was_sent_on_leaving_keeps_its_message_ids_when_it_is_sent_again(
        self, browser_page: Page, site: Any, recorder: Any
    ):
        await browser_page.clock.install()
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('a'); chatnation.track('b')")
        await browser_page.goto("about:blank")
        await until(lambda: len(recorder.accepted) == 2)
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.flush()")
        assert len(recorder.received) == 1, "not before the first request can have ended"
        await browser_page.clock.fast_forward(11_000)
        await until(lambda: len(recorder.received) == 2)
        assert recorder.received[0].message_ids == recorder.received[1].message_ids
        await browser_page.clock.fast_forward(60_000)
        assert len(recorder.received) == 2

    async def test_a_large_queue_leaves_in_a_request_that_browsers_let_live_and_the_rest_is_kept(
        self, browser_page: Page, site: Any, recorder: Any
    ):
        await browser_page.clock.install()
        await start(browser_page, site.url, batchSize=1000)
        await browser_page.evaluate("for (let i = 0; i < 200; i++) chatnation.track('e', {i, text: 'ü'.repeat(400)})")
        await browser_page.goto("about:blank")
        batch = await until(lambda: recorder.received and recorder.received[0])
        assert 50_000 < batch.size <= 60_000
        await start(browser_page, site.url)
        await browser_page.clock.fast_forward(11_000)
        await until(lambda: len({event["message_id"] for event in recorder.accepted}) == 200)
        twice = [key for key, times in Counter(e["message_id"] for e in recorder.accepted).items() if times > 1]
        assert set(twice) <= set(batch.message_ids)

    async def test_an_ordinary_request_under_way_is_not_sent_a_second_time(
        self, browser_page: Page, site: Any, recorder: Any, answer: Any
    ):
        answered = threading.Event()
        recorder.answers.append(answer(after=answered))
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('under way'); void chatnation.flush()")
        await until(lambda: not recorder.answers)
        await browser_page.evaluate("chatnation.track('last')")
        await browser_page.goto("about:blank")
        await until(lambda: "last" in recorder.names())
        answered.set()
        await until(lambda: len(recorder.accepted) == 2)
        assert exactly_once(recorder.accepted, 2)


@pytest.mark.usefixtures("failing_requests")
class TestAnswers:
    async def _flush(self, page: Page) -> None:
        """Flush under a clock that stands still: it moves by no more than the tracker needs."""
        await page.evaluate("window.flushed = false; void chatnation.flush().then(() => { flushed = true })")
        while not await page.evaluate("flushed"):
            await page.clock.run_for(10)

    async def test_a_503_is_repeated_no_sooner_than_the_server_asked(
        self, browser_page: Page, site: Any, recorder: Any, answer: Any
    ):
        await browser_page.clock.install()
        await browser_page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))
        recorder.answers.append(answer(503, headers={"Retry-After": "60"}))
        await start(browser_page, site.url)
        for name in "ab":
            await browser_page.evaluate("name => chatnation.track(name)", name)
            await self._flush(browser_page)
        await browser_page.clock.run_for(58_000)
        assert len(recorder.received) == 1
        await tick_until(browser_page, lambda: recorder.names() == ["a", "b"], 15_000)

    async def test_retry_after_may_be_a_date(self, browser_page: Page, site: Any, recorder: Any, answer: Any):
        await browser_page.clock.install()
        now = datetime.now(UTC) + timedelta(minutes=1)
        await browser_page.clock.pause_at(now)
        when = (now + timedelta(seconds=60)).strftime("%a, %d %b %Y %H:%M:%S GMT")
        recorder.answers.append(answer(503, headers={"Retry-After": when}))
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('a')")
        await self._flush(browser_page)
        await browser_page.clock.run_for(57_000)
        assert len(recorder.received) == 1
        await tick_until(browser_page, lambda: recorder.names() == ["a"], 17_000)

    async def test_without_a_word_the_pauses_grow_and_differ(
        self, browser_page: Page, site: Any, recorder: Any, answer: Any
    ):
        await browser_page.clock.install()
        await browser_page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))
        recorder.answers.extend([answer(500)] * 10)
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('a')")
        pauses = []
        for failures in range(1, 11):
            await self._flush(browser_page)
            state = await browser_page.evaluate("({backoff: JSON.parse(localStorage['cn.r']), now: Date.now()})")
            assert state["backoff"][0] == len(recorder.received) == failures
            pauses.append((state["backoff"][1] - state["now"]) / 1000)
            await browser_page.clock.fast_forward(int(pauses[-1] * 1000) + 1)
        await self._flush(browser_page)
        await until(lambda: recorder.names() == ["a"])
        for failures, pause in enumerate(pauses, 1):
            longest = min(2**failures, 300)
            assert longest / 2 - 1 <= pause <= longest
        assert len({pause / 2**failures for failures, pause in enumerate(pauses, 1)}) == len(pauses)
        assert await browser_page.evaluate("localStorage['cn.r']") is None

    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
    async def test_passing_troubles_are_retried(
        self, browser_page: Page, site: Any, recorder: Any, answer: Any, status: int
    ):
        recorder.answers.append(answer(status, headers={"Retry-After": "1"}))
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('a'); chatnation.flush()")
        await until(lambda: recorder.names() == ["a"])
        assert await browser_page.evaluate("losses") == []

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
    async def test_what_the_server_will_never_take_is_dropped_and_reported(
        self, browser_page: Page, site: Any, recorder: Any, answer: Any, status: int
    ):
        recorder.answers.append(answer(status))
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('a'); chatnation.flush()")
        await until(lambda: recorder.received)
        await browser_page.evaluate("chatnation.track('b'); chatnation.flush()")
        await until(lambda: recorder.names() == ["b"])
        [loss] = await browser_page.evaluate("losses")
        assert loss["reason"] == "refused"
        assert loss["status"] == status
        assert loss["messageIds"] == recorder.received[0].message_ids
        assert loss["detail"]["message"] == "The batch was refused."

    async def test_events_rejected_one_by_one_are_reported_and_not_sent_again(
        self, browser_page: Page, site: Any, recorder: Any, answer: Any
    ):
        recorder.answers.append(answer(rejected=(1,)))
        await start(browser_page, site.url)
        await browser_page.evaluate("for (const n of 'abc') chatnation.track(n); chatnation.flush()")
        await until(lambda: recorder.received)
        await browser_page.evaluate("chatnation.track('d'); chatnation.flush()")
        await until(lambda: len(recorder.received) == 2)
        [loss] = await browser_page.evaluate("losses")
        rejected = recorder.received[0].message_ids[1]
        assert (loss["reason"], loss["messageIds"]) == ("rejected", [rejected])
        assert loss["detail"]["code"] == "too_long"
        assert [event["event_name"] for event in recorder.received[1].events] == ["d"]

    async def test_a_sign_in_page_of_a_hotel_is_not_an_answer(
        self, browser_page: Page, site: Any, recorder: Any, answer: Any
    ):
        recorder.answers.append(answer(body="<html>Welcome</html>", headers={"Retry-After": "1"}))
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('a'); chatnation.flush()")
        await until(lambda: len(recorder.received) == 2)
        assert recorder.received[0].message_ids == recorder.received[1].message_ids

    async def test_losses_are_said_in_the_console_only_when_debugging(
        self, browser_page: Page, site: Any, recorder: Any, answer: Any
    ):
        said: list[str] = []
        browser_page.on("console", lambda message: said.append(message.text))
        for debug in (False, True):
            recorder.answers.append(answer(rejected=(0,)))
            await start(browser_page, site.url, debug=debug)
            await browser_page.evaluate("chatnation.track('a'); chatnation.flush()")
            await browser_page.wait_for_function("losses.length == 1")
            assert any("rejected" in text for text in said) is debug


class TestSinglePageApplications:
    async def test_every_change_of_the_address_is_a_page_view(self, browser_page: Page, site: Any, recorder: Any):
        await start(browser_page, site.url + "/home", spa=True)
        await browser_page.evaluate(
            """async () => {
                const settle = () => new Promise(done => setTimeout(done, 30));
                chatnation.page();
                history.pushState({}, '', '/file'); document.title = 'Filing'; await settle();
                history.replaceState({}, '', '/file?step=2'); await settle();
                history.replaceState({scroll: 1}, '', '/file?step=2'); await settle();
                location.hash = '#section'; await settle();
                location.hash = '#/done'; await settle();
                history.go(-2); await settle(); await settle();
                await chatnation.flush();
            }"""
        )
        await until(lambda: len(recorder.accepted) == 5)
        pages = [event["context"]["page"] for event in recorder.accepted]
        assert set(recorder.names()) == {"page_view"}
        assert [(page["path"], page["search"]) for page in pages] == [
            ("/home", ""),
            ("/file", ""),
            ("/file", "?step=2"),
            ("/file#/done", "?step=2"),
            ("/file", "?step=2"),
        ]
        assert pages[1]["title"] == "Filing"
        assert pages[1]["referrer"] == site.url + "/home"
        assert pages[2]["referrer"] == site.url + "/file"

    async def test_a_chain_of_redirects_inside_the_router_is_one_page_view(
        self, browser_page: Page, site: Any, recorder: Any
    ):
        await start(browser_page, site.url + "/", spa=True)
        await browser_page.evaluate(
            "history.pushState({}, '', '/a'); history.replaceState({}, '', '/b'); history.replaceState({}, '', '/c');"
            "new Promise(done => setTimeout(done, 30)).then(() => chatnation.flush())"
        )
        [event] = await until(lambda: recorder.accepted)
        assert event["context"]["page"]["path"] == "/c"

    async def test_nothing_is_watched_unless_asked(self, browser_page: Page, site: Any, recorder: Any):
        await start(browser_page, site.url + "/")
        await browser_page.evaluate(
            "history.pushState({}, '', '/a');"
            "new Promise(done => setTimeout(done, 30)).then(() => { chatnation.track('end'); chatnation.flush() })"
        )
        await until(lambda: recorder.names() == ["end"])


SIGNALS = {
    "Do-Not-Track": "Object.defineProperty(Navigator.prototype, 'doNotTrack', {value: '1'})",
    "GPC": "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {value: true})",
}


class TestPrivacy:
    USE = (
        "chatnation.page(); chatnation.track('a'); chatnation.identify('A1', {}); chatnation.alias('B2');"
        "chatnation.reset(); chatnation.whatsappLink('254700000000', 'Hi'); chatnation.flush()"
    )

    async def _stored(self, page: Page) -> dict[str, str]:
        return dict(await page.evaluate("({...localStorage})"))

    @pytest.mark.parametrize("signal", SIGNALS)
    async def test_a_browser_that_objects_is_left_alone(
        self, browser_page: Page, site: Any, recorder: Any, signal: str
    ):
        await browser_page.add_init_script(SIGNALS[signal])
        await start(browser_page, site.url, flushIntervalMs=20)
        await browser_page.evaluate(self.USE)
        await browser_page.goto(site.url + "/next")
        assert await self._stored(browser_page) == {}
        assert await browser_page.context.cookies() == []
        assert not recorder.received

    @pytest.mark.parametrize(
        ("signal", "option"), [("Do-Not-Track", "respectDoNotTrack"), ("GPC", "respectGlobalPrivacyControl")]
    )
    async def test_a_site_may_decide_otherwise(
        self, browser_page: Page, site: Any, recorder: Any, signal: str, option: str
    ):
        await browser_page.add_init_script(SIGNALS[signal])
        await start(browser_page, site.url, **{option: False})
        await browser_page.evaluate("chatnation.track('a'); chatnation.flush()")
        await until(lambda: recorder.names() == ["a"])

    async def test_a_visitors_own_choice_counts_more_than_the_browsers_signal(
        self, browser_page: Page, site: Any, recorder: Any
    ):
        await browser_page.add_init_script(SIGNALS["GPC"])
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('no'); chatnation.setConsent('granted'); chatnation.track('yes')")
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('still'); chatnation.flush()")
        await until(lambda: set(recorder.names()) == {"yes", "still"})

    async def test_before_the_choice_nothing_is_stored_or_sent_and_afterwards_nothing_is_missing(
        self, browser_page: Page, site: Any, recorder: Any
    ):
        await start(browser_page, site.url + "/?utm_source=radio", consent="pending", batchSize=2)
        await browser_page.evaluate(
            "chatnation.page(); chatnation.track('a'); chatnation.identify('A1'); chatnation.flush()"
        )
        assert await self._stored(browser_page) == {}
        assert not recorder.received
        await browser_page.evaluate("chatnation.setConsent('granted')")
        events = await until(lambda: recorder.accepted)
        assert recorder.names() == ["page_view", "a", "identify"]
        assert events[0]["context"]["campaign"] == {"source": "radio"}
        assert len({event["anonymous_id"] for event in events}) == 1
        await browser_page.evaluate("chatnation.track('b'); chatnation.flush()")
        await until(lambda: recorder.accepted[-1]["event_name"] == "b")
        assert recorder.accepted[-1]["anonymous_id"] == events[0]["anonymous_id"]

    async def test_a_refusal_deletes_what_was_kept_and_lasts(self, browser_page: Page, site: Any, recorder: Any):
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.identify('A1'); chatnation.setConsent('denied');" + self.USE)
        assert await self._stored(browser_page) == {"cn.c": "denied"}
        assert await browser_page.evaluate("chatnation.ids()") is None
        await start(browser_page, site.url, consent="granted", flushIntervalMs=20)
        await browser_page.evaluate(self.USE)
        await browser_page.goto("about:blank")
        await browser_page.goto(site.url)
        assert not recorder.received
        await browser_page.evaluate(
            "chatnation.init('wk_test'); chatnation.setConsent('granted'); chatnation.track('b'); chatnation.flush()"
        )
        await until(lambda: recorder.names() == ["b"])

    async def test_a_refusal_counts_in_every_open_tab(self, browser_context: BrowserContext, site: Any, recorder: Any):
        first, second = [await browser_context.new_page() for _ in range(2)]
        await start(first, site.url)
        await start(second, site.url)
        await first.evaluate("chatnation.setConsent('denied')")
        await second.wait_for_function("localStorage['cn.c'] === 'denied'")
        await second.evaluate(self.USE)
        assert await self._stored(second) == {"cn.c": "denied"}
        assert not recorder.received

    async def test_a_pending_visitor_who_refuses_was_never_there(self, browser_page: Page, site: Any, recorder: Any):
        await start(browser_page, site.url, consent="pending")
        await browser_page.evaluate(self.USE + "; chatnation.setConsent('denied'); chatnation.flush()")
        await browser_page.goto("about:blank")
        await browser_page.goto(site.url)
        assert await self._stored(browser_page) == {"cn.c": "denied"}
        assert not recorder.received


class TestSessions:
    async def test_last_until_thirty_minutes_without_an_event(self, browser_page: Page, site: Any, recorder: Any):
        await browser_page.clock.install()
        await start(browser_page, site.url)
        for minutes in (0, 29, 29, 31):
            await browser_page.clock.fast_forward(minutes * 60_000)
            await browser_page.evaluate("chatnation.track('e'); chatnation.flush()")
        await until(lambda: len(recorder.accepted) == 4)
        first, second, third, fourth = recorder.accepted
        assert first["session_id"] == second["session_id"] == third["session_id"] != fourth["session_id"]
        assert [event["sequence"] for event in recorder.accepted] == [1, 2, 3, 1]
        assert len({event["anonymous_id"] for event in recorder.accepted}) == 1

    async def test_outlive_page_loads(self, browser_page: Page, site: Any, recorder: Any):
        site.head += f"<script>chatnation.init('{KEY}'); chatnation.page(); chatnation.flush()</script>"
        await browser_page.goto(site.url + "/one")
        await browser_page.wait_for_function("!Object.keys(localStorage).some(key => key.startsWith('cn.q'))")
        await browser_page.evaluate("location.href = '/two'")
        await until(lambda: len(recorder.accepted) == 2)
        assert len({event["session_id"] for event in recorder.accepted}) == 1
        assert [event["sequence"] for event in recorder.accepted] == [1, 2]
        assert recorder.accepted[1]["context"]["page"]["referrer"] == site.url + "/one"

    async def test_remember_the_token_that_the_bot_put_into_the_link(
        self, browser_page: Page, site: Any, recorder: Any
    ):
        await browser_page.clock.install()
        await start(browser_page, site.url + "/?hs_token=tok-1")
        await browser_page.evaluate("chatnation.page(); chatnation.flush()")
        await start(browser_page, site.url + "/next")
        await browser_page.evaluate("chatnation.page(); chatnation.flush()")
        await browser_page.clock.fast_forward(31 * 60_000)
        await browser_page.evaluate("chatnation.track('later'); chatnation.flush()")
        await until(lambda: len(recorder.accepted) == 3)
        assert [event["context"].get("handshakeToken") for event in recorder.accepted] == ["tok-1", "tok-1", None]

    async def test_find_the_token_behind_the_hash_of_a_router(self, browser_page: Page, site: Any, recorder: Any):
        await start(browser_page, site.url + "/#/file?hs_token=tok-2")
        await browser_page.evaluate("chatnation.page(); chatnation.flush()")
        [event] = await until(lambda: recorder.accepted)
        assert event["context"]["handshakeToken"] == "tok-2"

    async def test_name_the_campaign_on_their_first_event(self, browser_page: Page, site: Any, recorder: Any):
        await start(
            browser_page,
            f"{site.url}/?utm_source=sms&utm_medium=text&utm_campaign=June%20deadline&utm_term=t&utm_content=c&gclid=g1",
        )
        await browser_page.evaluate("chatnation.page(); chatnation.track('a'); chatnation.flush()")
        first, second = await until(lambda: recorder.accepted)
        assert first["context"]["campaign"] == {
            "source": "sms",
            "medium": "text",
            "name": "June deadline",
            "term": "t",
            "content": "c",
        }
        assert "gclid=g1" in first["context"]["page"]["url"]
        assert "campaign" not in second["context"]


class TestWhatsappLinks:
    async def test_carry_a_token_that_one_event_also_carries(self, browser_page: Page, site: Any, recorder: Any):
        await start(browser_page, site.url + "/?hs_token=from-bot")
        link = await browser_page.evaluate("chatnation.whatsappLink('+254 700-000 000', 'Hello, I need help & advice')")
        await browser_page.evaluate("chatnation.track('later'); chatnation.flush()")
        address = urlsplit(link)
        assert (address.netloc, address.path) == ("wa.me", "/254700000000")
        [text] = parse_qs(address.query)["text"]
        token = HANDSHAKE_TOKEN.search(text)
        assert token
        assert text == f"Hello, I need help & advice [{token[0]}]"

        made, later = await until(lambda: recorder.accepted)
        assert made["event_name"] == "whatsapp_link_created"
        assert made["properties"] == {"phone": "254700000000"}
        assert made["context"]["handshakeToken"] == token[0]
        assert later["context"]["handshakeToken"] == "from-bot"

    async def test_of_one_session_share_a_token_and_its_event(self, browser_page: Page, site: Any, recorder: Any):
        await start(browser_page, site.url)
        links = await browser_page.evaluate("[1, 2].map(() => chatnation.whatsappLink('254700000000'))")
        await start(browser_page, site.url + "/next")
        links.append(await browser_page.evaluate("chatnation.whatsappLink('254700000000')"))
        await browser_page.evaluate("chatnation.flush()")
        assert len(set(links)) == 1
        assert re.fullmatch(r"https://wa\.me/254700000000\?text=%5Bcn-[0-9a-z]{12}%5D", links[0])
        await until(lambda: recorder.names() == ["whatsapp_link_created"])
        await browser_page.evaluate("chatnation.reset()")
        assert await browser_page.evaluate("chatnation.whatsappLink('254700000000')") != links[0]

    async def test_work_without_a_token_where_the_visitor_refused(self, browser_page: Page, site: Any):
        await start(browser_page, site.url, consent="denied")
        link = await browser_page.evaluate("chatnation.whatsappLink('254700000000', 'Hi')")
        assert link == "https://wa.me/254700000000?text=Hi"


class TestLoading:
    async def test_calls_before_the_script_are_replayed_in_order_and_at_their_time(
        self, browser_page: Page, site: Any, recorder: Any
    ):
        site.head = loader_snippet(KEY, recorder.url, {"batchSize": 3}) + (
            "<script>chatnation.identify('A1'); chatnation.track('early'); window.called = Date.now();"
            "chatnation.ready(() => { window.link = chatnation.whatsappLink('254700000000') })</script>"
        )
        release = anyio.Event()

        async def hold(route: Any) -> None:
            await release.wait()
            await route.continue_()

        await browser_page.route("**/sdk.js", hold)
        await browser_page.goto(site.url, wait_until="domcontentloaded")
        called = await browser_page.evaluate("called")
        await anyio.sleep(0.3)
        release.set()
        await browser_page.wait_for_function("window.link")
        await until(lambda: recorder.names()[:3] == ["page_view", "identify", "early"])
        events = recorder.accepted
        assert all(datetime.fromisoformat(event["timestamp"]).timestamp() * 1000 <= called for event in events[:3])
        assert [event["sequence"] for event in events[:3]] == [1, 2, 3]

    async def test_the_snippets_stub_keeps_only_calls_the_tracker_knows(self, browser_page: Page, site: Any):
        await browser_page.goto(site.url)
        methods = await browser_page.evaluate("Object.keys(chatnation).filter(k => typeof chatnation[k] == 'function')")
        assert set(STUB_METHODS) == set(methods) - {"whatsappLink", "ids"}

    async def test_calls_before_init_are_kept(self, browser_page: Page, site: Any, recorder: Any):
        await browser_page.goto(site.url)
        await browser_page.evaluate("chatnation.track('early'); chatnation.init('wk_test'); chatnation.flush()")
        await until(lambda: recorder.names() == ["early"])

    async def test_a_second_init_warns_and_changes_nothing(self, browser_page: Page, site: Any, recorder: Any):
        said: list[str] = []
        browser_page.on("console", lambda message: said.append(message.text))
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.init('other'); chatnation.track('a'); chatnation.flush()")
        await until(lambda: recorder.received)
        assert recorder.received[0].body["write_key"] == KEY
        assert any("twice" in text for text in said)

    async def test_the_script_tag_needs_no_inline_script_and_no_eval(
        self, browser_page: Page, site: Any, recorder: Any
    ):
        policy = f"default-src 'none'; script-src {recorder.url}; connect-src {recorder.url}; img-src data:"
        site.head = f'<meta http-equiv="Content-Security-Policy" content="{policy}">' + script_tag(
            KEY, recorder.url, {"flushIntervalMs": 10, "spa": True}
        )
        await browser_page.goto(site.url)
        await until(lambda: recorder.names() == ["page_view"])

    async def test_a_script_loaded_twice_is_one_tracker(self, browser_page: Page, site: Any, recorder: Any):
        site.head *= 2
        await start(browser_page, site.url)
        await browser_page.evaluate("chatnation.track('a'); chatnation.flush()")
        await until(lambda: recorder.names() == ["a"])

    @pytest.mark.parametrize("taken", [False, True])
    async def test_the_alias_takes_a_free_name_only(self, browser_page: Page, site: Any, taken: bool):
        if taken:
            await browser_page.add_init_script("window.analytics = 'somebody else'")
        await start(browser_page, site.url, globalAlias="analytics")
        assert await browser_page.evaluate("analytics === chatnation") is not taken

    async def test_events_go_beside_the_script_or_where_the_site_says(
        self, browser_page: Page, site: Any, recorder: Any
    ):
        await start(browser_page, site.url, apiEndpoint=recorder.url + "/proxied/capture")
        [posted] = await self._posted(browser_page)
        assert posted == recorder.url + "/proxied/capture"

    async def test_the_endpoint_follows_a_script_served_under_a_path(
        self, browser_page: Page, site: Any, recorder: Any
    ):
        site.head = f'<script src="{recorder.url}/stats/sdk.js"></script>'
        await browser_page.route(
            "**/stats/sdk.js",
            lambda route: route.fulfill(body=recorder.get("/sdk.js", {})[2], content_type="text/javascript"),
        )
        await start(browser_page, site.url)
        [posted] = await self._posted(browser_page)
        assert posted == recorder.url + "/stats/v1/capture"

    async def _posted(self, page: Page) -> list[str]:
        async with page.expect_request(lambda request: request.method == "POST") as posting:
            await page.evaluate("chatnation.track('a'); void chatnation.flush()")
        return [(await posting.value).url]
