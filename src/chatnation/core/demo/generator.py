"""The stories of a day, and the stream that goes on from now."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from chatnation.core.demo.chats import Chat, ask_the_bot
from chatnation.core.demo.devices import choose_crawler
from chatnation.core.demo.facts import Fact
from chatnation.core.demo.rhythm import CHAT_HOURS, NAIROBI, WEB_HOURS, moment_in, weight_of_day
from chatnation.core.demo.taxpayers import Taxpayer, taxpayer
from chatnation.core.demo.website import BROWSE_PAGES, PAGES, BrowserVisit, browse, file_return, sign_up, visit_of

STORIES = (("browse", 30.0), ("file", 44.0), ("sign_up", 4.0), ("chat", 18.0), ("crawl", 4.0))
NEW_SHARE = 0.35
"""Share of the visits that are somebody's first."""

TYPICAL_FACTS = 8.8
"""Events of an average story; the live stream starts stories at its rate divided by this."""


class TaxAuthority:
    """The made-up authority of one seed.

    A day is a function of seed, date and visits, so days can be told in any order, and telling one again gives the
    same facts with the same ids.
    """

    def __init__(self, seed: int = 1, visits_per_day: int = 400) -> None:
        if visits_per_day < 1:
            raise ValueError("visits_per_day must be at least 1")
        self._seed = seed
        self._visits_per_day = visits_per_day
        self._new_per_day = max(1, round(visits_per_day * NEW_SHARE))

    def day(self, day: date) -> list[Fact]:
        """Everything that starts on that day in Nairobi, in time order; the last stories end after midnight."""
        rng = random.Random(f"{self._seed}/day/{day.isoformat()}/{self._visits_per_day}")
        visits = max(1, round(self._visits_per_day * weight_of_day(day) * rng.uniform(0.93, 1.07)))
        facts: list[Fact] = []
        for _ in range(visits):
            story_rng = random.Random(rng.getrandbits(64))
            kind = _choose_story(story_rng)
            moment = moment_in(story_rng, day, CHAT_HOURS if kind == "chat" else WEB_HOURS)
            facts += self._tell(story_rng, kind, moment)
        facts.sort(key=lambda fact: fact.at)
        return facts

    def between(self, start: datetime, end: datetime, *, newest_first: bool = False) -> Iterator[list[Fact]]:
        """The facts of each day that touches the interval, cut to it, day after day.

        With `newest_first` the last day comes first, so that whoever watches sees today at once.
        """
        first, last = (moment.astimezone(NAIROBI).date() for moment in (start, end))
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        for day in reversed(days) if newest_first else days:
            yield [fact for fact in self.day(day) if start <= fact.at < end]

    def live(
        self, start: datetime, events_per_second: float, *, warm_up: timedelta = timedelta(minutes=10)
    ) -> Iterator[Fact]:
        """An endless stream of facts from `start` on, in time order, about `events_per_second` of them.

        Stories that began during `warm_up` before `start` are already under way, so that the stream has its full
        rate at once.
        """
        if events_per_second <= 0:
            raise ValueError("events_per_second must be above 0")
        rng = random.Random(f"{self._seed}/live/{start.isoformat()}")
        order = itertools.count()
        waiting: list[tuple[datetime, int, Fact]] = []
        next_story = start - warm_up
        while True:
            while not waiting or next_story <= waiting[0][0]:
                story_rng = random.Random(rng.getrandbits(64))
                for fact in self._tell(story_rng, _choose_story(story_rng), next_story):
                    if fact.at >= start:
                        heapq.heappush(waiting, (fact.at, next(order), fact))
                next_story += timedelta(seconds=rng.expovariate(events_per_second / TYPICAL_FACTS))
            yield heapq.heappop(waiting)[2]

    def _tell(self, rng: random.Random, kind: str, start: datetime) -> list[Fact]:
        person, returning = self._choose_person(rng, start)
        if kind == "crawl":
            return _crawl(rng, start, person)
        if kind == "chat":
            return _chat_first(rng, person, start)
        visit = visit_of(rng, person, start, returning=returning)
        if kind == "browse":
            browse(visit)
        elif kind == "sign_up":
            sign_up(visit, person)
        else:
            given_up_at = file_return(visit, person)
            if given_up_at and person.chats and rng.random() < 0.3:
                return _ask_for_help(visit, person, given_up_at)
        return visit.facts

    def _choose_person(self, rng: random.Random, at: datetime) -> tuple[Taxpayer, bool]:
        """Somebody new of that day, or somebody who was new on one of the 45 days before."""
        ordinal = at.astimezone(NAIROBI).date().toordinal()
        returning = rng.random() >= NEW_SHARE
        if returning:
            ordinal -= min(45, int(rng.expovariate(1 / 12)))
        return taxpayer(self._seed, ordinal * self._new_per_day + rng.randrange(self._new_per_day)), returning


def _choose_story(rng: random.Random) -> str:
    return rng.choices([name for name, _ in STORIES], [share for _, share in STORIES])[0]


def _crawl(rng: random.Random, start: datetime, person: Taxpayer) -> list[Fact]:
    visit = BrowserVisit(rng, start, choose_crawler(rng), person.address)
    for path in rng.sample(BROWSE_PAGES, rng.randrange(2, 7)):
        visit.page(path, PAGES[path])
        visit.wait(0.5, 6)
    return visit.facts


def _chat_first(rng: random.Random, person: Taxpayer, start: datetime) -> list[Fact]:
    """The bot's link leads from WhatsApp to the website, the token says that it is the same person."""
    link_token = new_token(rng)
    chat = Chat(rng, start, person)
    if not ask_the_bot(chat, person, link_token=link_token) or rng.random() < 0.42:
        return chat.facts
    chat.wait(5, 240)
    visit = visit_of(rng, person, chat.now, returning=False, handshake_token=link_token)
    file_return(visit, person, diligence=1.6)
    return chat.facts + visit.facts


def _ask_for_help(visit: BrowserVisit, person: Taxpayer, step: str) -> list[Fact]:
    """The website's prefilled text leads to WhatsApp, with a token the other way round; there an agent may help on."""
    token = new_token(visit.rng)
    visit.wait(3, 60)
    visit.open_whatsapp(token)
    chat = Chat(visit.rng, visit.now, person)
    chat.wait(5, 60)
    ask_the_bot(
        chat,
        person,
        opening=f"Hello, I need help with my return. [{token}]",
        token=token,
        link_token=new_token(visit.rng),
        stuck_at=step,
    )
    return visit.facts + chat.facts


def new_token(rng: random.Random) -> str:
    """A handshake token: `cn-` and twelve characters of Crockford's base32, as our SDK makes them."""
    return "cn-" + "".join(rng.choices("0123456789abcdefghjkmnpqrstvwxyz", k=12))
