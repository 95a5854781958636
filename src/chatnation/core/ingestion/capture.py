"""`POST /v1/capture`: the native protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from chatnation.core.errors import Problem
from chatnation.core.ingestion.answers import all_accepted
from chatnation.core.ingestion.body import parse
from chatnation.core.ingestion.cleaning import is_too_deep, refuses_underflow
from chatnation.core.ingestion.event import Delivery
from chatnation.core.ingestion.exchange import Acceptance, Exchange, describes_a_visitor
from chatnation.core.ingestion.wire import ClientBatch

_decode = msgspec.json.Decoder(ClientBatch, float_hook=refuses_underflow).decode
_EVENT_KEYS = frozenset({"event_name", "event", "type", "event_type"})


async def capture(exchange: Exchange) -> None:
    """Take a batch of events in either spelling, whatever its content type.

    A body that is exactly what our SDK sends is checked in one pass and goes on the stream as it is. Anything else is
    translated event by event; an event that is beyond repair is reported and costs no other one.
    """
    body = await exchange.read()
    key = exchange.key_in_request()
    if key is not None:
        await exchange.authenticate(key=key)
    batch = _strictly(body)
    if batch is None:
        await _take_translated(exchange, body)
        return
    if exchange.grant is None:
        await exchange.authenticate({"write_key": batch.write_key})
    count = len(batch.batch)
    _check_size(exchange, count)
    deliveries = _as_is(exchange, body, batch)
    del batch  # Events of all the requests that wait for the stream would crowd out the processor's caches.
    for partition, delivery in deliveries:
        await exchange.publish(partition, delivery)
    await exchange.answer(200, all_accepted(count))


def _as_is(exchange: Exchange, body: bytes, batch: ClientBatch) -> list[tuple[int, Delivery]]:
    """A flawless batch for each partition; written anew only where a rule or a partition takes part of it away."""
    collector, grant = exchange.collector, exchange.grant
    assert grant is not None
    events = batch.batch
    server_side = not exchange.from_browser and not any(map(describes_a_visitor, events))
    masker = collector.masker(grant)
    if masker is not None:
        for event in events:
            masker.apply(event, event.context, event.properties)
    partitions = collector.partitioned(events)
    deliveries = []
    for partition, share in partitions.items():
        if masker is not None or len(partitions) > 1:
            body = msgspec.json.encode(ClientBatch(share, batch.sent_at))
        deliveries.append((partition, exchange.delivery(body, len(share), server_side=server_side)))
    return deliveries


async def _take_translated(exchange: Exchange, body: bytes) -> None:
    value = parse(body)
    if exchange.grant is None:
        await exchange.authenticate(value)
    events, sent_at = _opened(value)
    _check_size(exchange, len(events))
    acceptance = await exchange.accept(events, sent_at=sent_at)
    await _report(exchange, acceptance)


def _check_size(exchange: Exchange, count: int) -> None:
    limit = exchange.collector.settings.max_batch_events
    if count > limit:
        raise Problem(413, "too_many_events", f"A batch may hold {limit} events; split it.")


def _strictly(body: bytes) -> ClientBatch | None:
    """The batch, if there is nothing in it to translate, to repair or to refuse."""
    if b"\\" in body and b"\\u0000" in body:
        return None  # PostgreSQL keeps no NUL characters.
    try:
        batch = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return None if any(_is_too_deep(event.properties) for event in batch.batch) else batch


def _is_too_deep(properties: dict[str, Any] | None) -> bool:
    """Whether readers would have to fear for their stack; most properties are flat, and that is seen at once."""
    for value in (properties or {}).values():
        if value.__class__ is dict or value.__class__ is list:
            return is_too_deep(properties)
    return False


def _opened(value: object) -> tuple[Sequence[Any], object]:
    """The events of a body and when it was sent: a batch, a bare array, or a single event."""
    if isinstance(value, list):
        return value, None
    if not isinstance(value, dict):
        raise Problem(400, "invalid_body", "The body must be an object with a “batch” of events.")
    sent_at = value.get("sent_at", value.get("sentAt"))
    batch = value.get("batch")
    if isinstance(batch, list):
        return batch, sent_at
    if batch is None and not _EVENT_KEYS.isdisjoint(value):
        return [value], sent_at
    raise Problem(400, "invalid_body", "“batch” must be an array of events.")


async def _report(exchange: Exchange, acceptance: Acceptance) -> None:
    """Answer with the result of every event that was not accepted. It is an error only when nothing was usable."""
    rejected = [rejection.as_json() for rejection in acceptance.rejected]
    if rejected and not acceptance.accepted:
        problem = Problem(400, "no_usable_event", f"No event was accepted. The first: {rejected[0]['message']}")
        await exchange.fail(problem, extra={"accepted": 0, "rejected": rejected})
        return
    await exchange.answer(200, {"status": "success", "accepted": acceptance.accepted, "rejected": rejected})
