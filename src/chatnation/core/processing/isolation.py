"""Finds the events that cannot be stored, stores all others, and puts those with the dead letters."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from chatnation.core.errors import ChatnationError
from chatnation.core.ingestion.event import Delivery
from chatnation.core.ingestion.normalize import UnreadableDelivery
from chatnation.core.processing.failures import is_bad_data, is_passing
from chatnation.core.processing.picking import alone, count_events, emptied, only
from chatnation.core.processing.pipeline import Stored
from chatnation.core.processing.projecting import describe
from chatnation.core.processing.stages import StageRefused

logger = logging.getLogger(__name__)

SUSPICIOUS = 10
"""So many events that fail for no reason of their own, while none succeeds, make us doubt ourselves first."""


class DeadLetters(Protocol):
    """Keeps what cannot be stored, for an operator to look at and to replay."""

    async def bury(self, delivery: Delivery, reason: str) -> None:
        """Keep `delivery`; once, however often it is called for the same id."""
        ...


class Suspicious(ChatnationError):
    """Nothing in a batch can be stored, and it does not look like the events' fault."""


class Store(Protocol):
    """Stores deliveries of one tenant in one transaction; the `rehearse`d one is rolled back.

    `dead` events were taken out of the only delivery, which may hold none then; they are counted.
    """

    def __call__(
        self, tenant_id: int, deliveries: Sequence[Delivery], *, dead: int = 0, rehearse: bool = False
    ) -> Awaitable[Stored]: ...


@dataclass(slots=True)
class _Verdict:
    """A delivery with the events in it that fail, by place; `whole` if it cannot be taken apart."""

    delivery: Delivery
    errors: dict[int, Exception] = field(default_factory=dict)
    whole: Exception | None = None

    @property
    def blames(self) -> list[Exception]:
        return [self.whole] if self.whole else list(self.errors.values())


class Isolation:
    """Tries a failing batch in halves, down to deliveries and then to single events."""

    def __init__(self, store: Store, dead_letters: DeadLetters) -> None:
        self._store = store
        self._dead_letters = dead_letters

    async def run(self, tenant_id: int, deliveries: Sequence[Delivery], error: Exception, *, patient: bool) -> Stored:
        """Store what can be stored of `deliveries`, which failed together with `error`; bury the rest.

        While `patient`, raises Suspicious instead of burying what may be our own fault, if nothing at all succeeded.
        Errors that pass are raised.
        """
        trial = _Trial(tenant_id, self._store)
        await trial.narrow(deliveries, error)
        blames = [blame for verdict in trial.verdicts for blame in verdict.blames]
        if patient and not trial.succeeded and (doubt := _doubt(blames)) is not None:
            raise Suspicious(f"{len(blames)} events failed and none did not: {describe(doubt)}") from doubt
        for verdict in trial.verdicts:
            trial.stored += await self._bury(tenant_id, verdict)
        return trial.stored

    async def bury_all(self, tenant_id: int, deliveries: Sequence[Delivery], reason: str) -> Stored:
        """Bury deliveries as they are, without another try."""
        stored = Stored()
        for delivery in deliveries:
            logger.error("a delivery of %d events goes to the dead letters: %s", delivery.count, reason)
            await self._dead_letters.bury(delivery, reason)
            stored += await self._store(tenant_id, [emptied(delivery)], dead=delivery.count)
        return stored

    async def _bury(self, tenant_id: int, verdict: _Verdict) -> Stored:
        """Bury first, then store the rest: a crash in between buries the same letters once more, which does no harm."""
        delivery = verdict.delivery
        if verdict.whole is not None:
            return await self.bury_all(tenant_id, [delivery], describe(verdict.whole))
        for place, error in verdict.errors.items():
            logger.error("an event goes to the dead letters: %s", error)
            await self._dead_letters.bury(alone(delivery, place), describe(error))
        good = set(range(count_events(delivery))) - verdict.errors.keys()
        return await self._store(tenant_id, [only(delivery, good)], dead=len(verdict.errors))


def _doubt(blames: Sequence[Exception]) -> Exception | None:
    """An error that makes us doubt ourselves: a promise of privacy that cannot be kept, or many of our own."""
    refused = next((blame for blame in blames if isinstance(blame, StageRefused)), None)
    ours = [blame for blame in blames if not is_bad_data(blame)]
    return refused or (ours[0] if len(ours) >= SUSPICIOUS else None)


class _Trial:
    """The search within one batch. Half-batches that succeed are stored on the way."""

    def __init__(self, tenant_id: int, store: Store) -> None:
        self._tenant_id = tenant_id
        self._store = store
        self.stored = Stored()
        self.verdicts: list[_Verdict] = []
        self.succeeded = False

    async def narrow(self, deliveries: Sequence[Delivery], error: Exception) -> None:
        if len(deliveries) == 1:
            self.verdicts.append(await self._judge(deliveries[0], error))
            return
        middle = len(deliveries) // 2
        for half in (deliveries[:middle], deliveries[middle:]):
            failure = await self._attempt(lambda half=half: self._store(self._tenant_id, half))  # type: ignore[misc]
            if failure is not None:
                await self.narrow(half, failure)

    async def _judge(self, delivery: Delivery, error: Exception) -> _Verdict:
        try:
            count = count_events(delivery)
        except UnreadableDelivery as unreadable:
            return _Verdict(delivery, whole=unreadable)
        verdict = _Verdict(delivery)
        if count > 1:
            await self._search(verdict, range(count))
        if not verdict.errors:
            verdict.whole = error  # A single event, or events that are fine without each other.
        return verdict

    async def _search(self, verdict: _Verdict, places: Sequence[int]) -> None:
        middle = len(places) // 2
        for half in (places[:middle], places[middle:]):
            if not half:
                continue
            part = only(verdict.delivery, half)
            failure = await self._attempt(
                lambda part=part: self._store(self._tenant_id, [part], rehearse=True)  # type: ignore[misc]
            )
            if failure is None:
                continue
            if len(half) == 1:
                verdict.errors[half[0]] = failure
            else:
                await self._search(verdict, half)

    async def _attempt(self, attempt: Callable[[], Awaitable[Stored]]) -> Exception | None:
        """The error of `attempt`, if it failed for good."""
        try:
            self.stored += await attempt()
        except Exception as error:
            if is_passing(error):
                raise
            return error
        self.succeeded = True
        return None
