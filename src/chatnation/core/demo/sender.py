"""Delivers facts to a running collector, the way any client does."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import anyio
import httpx
import msgspec

from chatnation.core.demo.facts import Fact, WireEvent, iso
from chatnation.core.errors import ChatnationError

BATCH_EVENTS = 400
"""Events of one request; with the demo's events of about 1 kB it stays well under the collector's 1 MB."""
REQUESTS_AT_ONCE = 4


class NotDelivered(ChatnationError):
    """The collector refused a request for good, or stayed away."""


class Sender:
    """Posts to `<url>/v1/capture` with a write key, waits when asked to, and counts what came of it.

    `accepted` and `rejected` count events; `first_rejection` is the collector's text for the first of the latter.
    """

    def __init__(self, client: httpx.AsyncClient, url: str, write_key: str, *, attempts: int = 8) -> None:
        self._client = client
        self._attempts = attempts
        self._address = f"{url.rstrip('/')}/v1/capture"
        self._headers = {"X-Write-Key": write_key, "Content-Type": "application/json"}
        self.accepted = 0
        self.rejected = 0
        self.first_rejection: str | None = None

    async def send(self, facts: Sequence[Fact]) -> None:
        """Deliver the facts in one request. Raises `NotDelivered`."""
        body = msgspec.json.encode({"batch": [_wire(fact) for fact in facts], "sent_at": iso(datetime.now(UTC))})
        response = await self._post(body)
        answer = response.json()
        rejected = answer.get("rejected") or []
        self.accepted += answer.get("accepted", len(facts) - len(rejected))
        self.rejected += len(rejected)
        if rejected and self.first_rejection is None:
            self.first_rejection = f"{rejected[0].get('path')}: {rejected[0].get('message')}"

    async def send_all(self, facts: Iterable[Fact], sent: Callable[[int], None]) -> None:
        """Deliver many facts, several requests at once; `sent(n)` is called after each. Raises `NotDelivered`."""
        batches = _batches(facts)

        async def deliver() -> None:
            for batch in batches:
                await self.send(batch)
                sent(len(batch))

        await all_of(*(deliver() for _ in range(REQUESTS_AT_ONCE)))

    async def _post(self, body: bytes) -> httpx.Response:
        reason = ""
        for attempt in range(self._attempts):
            pause = min(10.0, 0.5 * 2**attempt)
            try:
                response = await self._client.post(self._address, content=body, headers=self._headers)
            except httpx.TransportError as error:
                reason = f"{self._address} cannot be reached: {str(error) or type(error).__name__}"
            else:
                if response.status_code == 200:
                    return response
                reason = f"{self._address} answered {response.status_code}: {response.text[:300]}"
                if response.status_code not in (429, 502, 503, 504):
                    raise NotDelivered(reason)
                pause = _retry_after(response) or pause
            await anyio.sleep(pause)
        raise NotDelivered(reason)


async def all_of(*work: Coroutine[Any, Any, None]) -> None:
    """Do all of it at once. When one part fails, the others end, and its error is raised as it is."""

    async def do(part: Coroutine[Any, Any, None]) -> None:
        await part

    try:
        async with anyio.create_task_group() as group:
            for part in work:
                group.start_soon(do, part)
    except* ChatnationError as failures:
        first: BaseException = failures
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None


def _batches(facts: Iterable[Fact]) -> Iterator[list[Fact]]:
    remaining = iter(facts)
    while batch := list(islice(remaining, BATCH_EVENTS)):
        yield batch


def _wire(fact: Fact) -> WireEvent:
    """The event with the visitor's address in it, since here one server sends for all of them."""
    if fact.client is None:
        return fact.event
    context: dict[str, Any] = {**fact.event["context"], "ip": fact.client.address}
    return {**fact.event, "context": context}


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None
