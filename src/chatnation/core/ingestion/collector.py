"""What all requests to the collector share."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from prometheus_client import Counter

from chatnation.core.auth.keys import KeyGrant
from chatnation.core.auth.tenancy import MaskingRule
from chatnation.core.clock import Clock
from chatnation.core.ingestion.ledger_notes import LedgerNotes
from chatnation.core.ingestion.limits import Allowance, RateLimit
from chatnation.core.ingestion.partitions import partition_of
from chatnation.core.ingestion.privacy import Masker
from chatnation.core.ingestion.publisher import Publisher
from chatnation.core.ingestion.wire import EventFields
from chatnation.core.settings import Settings

if TYPE_CHECKING:
    from chatnation.core.metrics import Metrics

T = TypeVar("T", bound=EventFields)


class Keys(Protocol):
    """Where the collector looks keys up."""

    def known(self, secret: str) -> KeyGrant | None:
        """What the key yields, if that can be told without waiting."""
        ...

    async def find(self, secret: str) -> KeyGrant | None:
        """What the key yields, or None; raises DatabaseUnavailable when nobody can tell."""
        ...


class CaptureLimits:
    """The rate limits of the collector, per address and per key."""

    def __init__(self, settings: Settings) -> None:
        self.by_address = RateLimit("address", settings.rate_limit_per_ip)
        self.by_key = RateLimit("key", settings.rate_limit_per_key)

    def hit_address(self, address: str, now: float) -> Allowance:
        """Count a request from an address; an IPv6 site, which has no end of addresses, counts as one."""
        if ":" in address:
            address = ":".join(address.split(":", 4)[:4])
        return self.by_address.hit(address, now)

    def hit_key(self, key_id: int, now: float) -> Allowance:
        return self.by_key.hit(str(key_id), now)


class Collector:
    """The parts that take events in: keys, limits, privacy, ledger, stream. One per process."""

    def __init__(
        self,
        *,
        settings: Settings,
        keys: Keys,
        publisher: Publisher,
        notes: LedgerNotes,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self.settings = settings
        self.keys = keys
        self.publisher = publisher
        self.notes = notes
        self.limits = CaptureLimits(settings)
        self._clock = clock
        self._partitions = settings.stream_partitions
        self._secret = settings.secret_key.get_secret_value().encode() if settings.secret_key is not None else None
        self._maskers: dict[tuple[int, frozenset[tuple[str, MaskingRule]]], Masker] = {}
        self._answers = metrics.requests
        self._counters: dict[int, Counter] = {}
        self._process = int.from_bytes(os.urandom(7), "big")
        self._sequence = int.from_bytes(os.urandom(2), "big")

    def now_ms(self) -> int:
        """Unix time in milliseconds."""
        return int(self._clock.now().timestamp() * 1000)

    def new_delivery_id(self, received_ms: int) -> bytes:
        """An id for a delivery: a version 7 UUID, so that the database appends rather than searches.

        After the time, 18 bits of a counter and 56 bits that are this process's own.
        """
        self._sequence = sequence = (self._sequence + 1) & 0x3FFFF
        high = received_ms << 16 | 0x7000 | sequence >> 6
        low = 0x80 << 56 | (sequence & 0x3F) << 56 | self._process
        return (high << 64 | low).to_bytes(16, "big")

    def masker(self, grant: KeyGrant) -> Masker | None:
        """What applies the project's masking rules; None if there are none."""
        if not grant.masking:
            return None
        key = (grant.tenant.id, frozenset(grant.masking.items()))
        masker = self._maskers.get(key)
        if masker is None:
            masker = self._maskers[key] = Masker(
                _possible(grant.masking, self._secret), grant.tenant.id, self._secret or b""
            )
        return masker

    def partitioned(self, events: Sequence[T]) -> Mapping[int, list[T]]:
        """The events by the partition that their visitor always goes to."""
        if self._partitions == 1:
            return {0: list(events)} if events else {}
        found: dict[int, list[T]] = {}
        for event in events:
            found.setdefault(partition_of(event, self._partitions), []).append(event)
        return found

    def count(self, status: int) -> None:
        """Count an answer."""
        counter = self._counters.get(status)
        if counter is None:
            counter = self._counters[status] = self._answers.labels("capture", str(status))
        counter.inc()


def _possible(rules: Mapping[str, MaskingRule], secret: bytes | None) -> Mapping[str, MaskingRule]:
    """The rules, with hashes that nobody could repeat turned into nothing at all for want of a secret."""
    if secret is not None:
        return rules
    return {name: MaskingRule.DROP if rule is MaskingRule.HASH else rule for name, rule in rules.items()}
