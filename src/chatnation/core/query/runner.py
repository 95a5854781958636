"""The service that is asked: keeps limits, remembers answers, and leaves finding them to the event store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from hashlib import blake2b
from importlib.metadata import version
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic_core import to_json

from chatnation.core.clock import Clock
from chatnation.core.context import acting
from chatnation.core.errors import ConfigurationError, Problem
from chatnation.core.query.answers import Answer
from chatnation.core.query.cache import Cache, Flights, side_by_side
from chatnation.core.query.checks import check
from chatnation.core.query.fields import UnknownField
from chatnation.core.query.model import Query
from chatnation.core.query.naming import NamesPersons, check_names_nobody, sees_persons, without_names
from chatnation.core.query.openness import moment_of
from chatnation.core.query.slots import Slots
from chatnation.core.query.store import EventStore, QueryRefused

if TYPE_CHECKING:
    from chatnation.core.app import App

T = TypeVar("T")
Outcome = Literal["kept", "found", "refused", "failed"]
Watch = Callable[[str, Outcome, float], None]
"""Is told the kind of each question, what became of it, and how many seconds that took."""

MOST_ANSWERS = 5_000
PATIENCE = 8.0
"""Seconds that a question waits for its turn."""
OBJECTS = 4
"""About how many bytes an answer takes in memory, for each of its JSON."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Questions of a tenant and of all at once, seconds that each may take and wait, bytes of answers that are kept."""

    concurrency: int = 4
    together: int = 100
    timeout: float = 30.0
    patience: float = PATIENCE
    cache_bytes: int = 64_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """An answer, and a tag that changes when it may have. `answer` is None where the tag is one that was known."""

    tag: str
    answer: Answer | None


class QueryRunner:
    """`Analytics` over an event store, which `create` makes when it is first needed.

    Questions are told apart by their JSON, never by being equal: to Python, 1.0 equals True.
    """

    def __init__(
        self,
        create: Callable[[], EventStore],
        clock: Clock,
        limits: Limits = Limits(),
        watch: Watch = lambda kind, outcome, seconds: None,
    ) -> None:
        self._create = create
        self._watch = watch
        self._clock = clock
        self._limits = limits
        self._slots = Slots(limits.concurrency, limits.together, limits.patience)
        self._cache: Cache[Answer] = Cache(MOST_ANSWERS, limits.cache_bytes)
        self._flights: Flights[Answer] = Flights()

    @classmethod
    def of(cls, app: App) -> QueryRunner:
        """The runner of an app, with the store that its settings name; raises ConfigurationError."""
        drivers = {entry.item.name: entry.item for entry in app.resources.event_stores}
        driver = drivers.get(app.settings.event_store)
        if driver is None:
            known = ", ".join(sorted(drivers))
            raise ConfigurationError(f"No plugin has an event store {app.settings.event_store!r}; known are {known}.")
        limits = Limits(
            concurrency=app.settings.query_concurrency,
            # So many connections are kept; what comes on top is for requests that are no questions.
            together=app.settings.database_pool_size,
            timeout=app.settings.query_timeout_seconds,
            cache_bytes=app.settings.query_cache_bytes,
        )

        def watch(kind: str, outcome: Outcome, seconds: float) -> None:
            app.metrics.query_seconds.labels(kind, outcome).observe(seconds)

        return cls(partial(driver.create, app), app.clock, limits, watch)

    @cached_property
    def store(self) -> EventStore:
        """The store that answers."""
        return self._create()

    async def close(self) -> None:
        """End the questions that are being worked on."""
        await self._flights.close()

    async def ask(self, tenant_id: int, query: Any) -> Any:
        """The answer; see `Analytics`."""
        return (await self.find(tenant_id, query)).answer

    async def ask_all(self, tenant_id: int, queries: Sequence[Query]) -> list[Any]:
        """The answers in the order of the questions. These never wait for a turn on account of each other."""
        work: list[Callable[[], Awaitable[Any]]] = [partial(self.ask, tenant_id, query) for query in queries]
        return await side_by_side(work, self._limits.concurrency)

    async def find(self, tenant_id: int, query: Query, *, unless: Collection[str] = ()) -> Found:
        """The answer with its tag, or the tag alone where it is one of `unless`.

        Whoever is acting and may not see persons gets no answer that names some, and others without their names.
        """
        began = perf_counter()
        outcome: Outcome = "failed"
        named = sees_persons(acting())
        try:
            check(query)
            if not named:
                check_names_nobody(query)
            found, outcome = await self._find(tenant_id, query, unless, named)
            return found if named or found.answer is None else replace(found, answer=without_names(found.answer))
        except (QueryRefused, NamesPersons):
            outcome = "refused"
            raise
        finally:
            self._watch(query.kind, outcome, perf_counter() - began)

    async def _find(self, tenant_id: int, query: Query, unless: Collection[str], named: bool) -> tuple[Found, Outcome]:
        now = self._clock.now()
        text = to_json(query, inf_nan_mode="strings")
        # The stamp is taken first: what changes while the answer is found makes it newer than its stamp, never older.
        stamp = await self._in_time(self.store.stamp(tenant_id, query))
        mark = stamp, moment_of(query, now)
        tag = _tag(tenant_id, text, (*mark, named))
        if tag in unless:
            return Found(tag, None), "kept"
        kept = self._cache.get((tenant_id, text), mark)
        if kept is not None:
            return Found(tag, kept), "kept"

        async def work() -> Answer:
            async with self._slots.slot(tenant_id):
                found = await self._in_time(self.store.answer(tenant_id, query, now))
            size = OBJECTS * len(to_json(found)) + len(text)
            self._cache.put((tenant_id, text), mark, found, size)
            return found

        return Found(tag, await self._flights.join((tenant_id, text, mark), work)), "found"

    async def _in_time(self, work: Coroutine[Any, Any, T]) -> T:
        """What the store says, within the time that a question may take."""
        limit = self._limits.timeout
        timer = asyncio.timeout(limit)
        try:
            async with timer:
                return await work
        except UnknownField as error:
            raise QueryRefused(str(error)) from None
        except TimeoutError:
            if not timer.expired():
                raise
            detail = f"No answer within {limit:g} seconds. Ask for less time, or with fewer conditions."
            raise Problem(504, "query_timeout", detail) from None


def _tag(tenant_id: int, text: bytes, mark: Hashable) -> str:
    """Different where tenant, question, version or what was found may be; the same in every process."""
    digest = blake2b(text, digest_size=16, salt=tenant_id.to_bytes(8, "big"))
    digest.update(repr((mark, _version())).encode())
    return digest.hexdigest()


@cache
def _version() -> str:
    return version("chatnation")
