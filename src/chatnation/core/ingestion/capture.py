"""`POST /v1/capture`: the native protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from starlette.types import Scope

from chatnation.core.errors import Problem, QueueUnavailable
from chatnation.core.ingestion.answers import all_accepted
from chatnation.core.ingestion.body import parse
from chatnation.core.ingestion.cleaning import MAX_DEPTH, is_too_deep, refuses_underflow
from chatnation.core.ingestion.collector import Collector
from chatnation.core.ingestion.event import Delivery
from chatnation.core.ingestion.exchange import Acceptance, Exchange, describes_a_visitor, no_stream
from chatnation.core.ingestion.wire import ClientBatch
from chatnation.core.web.routing import Respond

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


def capture_at_once(collector: Collector, scope: Scope, body: bytes, respond: Respond) -> bool:
    """What `capture` does, for a batch of our SDK's when there is nothing to wait for but the stream.

    Nearly every request is one, so this is neither a task nor a coroutine. False, with nothing done, when the request
    has anything about it that only `capture` can deal with.
    """
    exchange = Exchange(collector, scope, _already_read, _already_read)
    batch = None if b"content-encoding" in exchange.headers else _strictly(body)
    if batch is None or len(batch.batch) > collector.settings.max_batch_events:
        return False
    key = exchange.key_in_request() or batch.write_key
    grant = collector.keys.known(key) if key else None
    if grant is None:
        return False
    try:
        exchange.check_address()
        exchange.admit(grant)
        appended = exchange.submit(_as_is(exchange, body, batch))
    except Problem as problem:
        respond(exchange.failure(problem))
    else:
        appended.add_done_callback(partial(_answer, exchange, len(batch.batch), respond))
    return True


def _answer(exchange: Exchange, count: int, respond: Respond, appended: asyncio.Future[Any]) -> None:
    try:
        appended.result()
    except QueueUnavailable as error:
        respond(exchange.failure(no_stream(error)))
    else:
        respond(exchange.counted_answer(200, all_accepted(count)))


async def _already_read(*_: object) -> Any:
    raise RuntimeError("this request has been read, and is answered by `respond`")


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
    may_be_deep = body.count(b"{") + body.count(b"[") > MAX_DEPTH
    return None if may_be_deep and any(is_too_deep(event.properties) for event in batch.batch) else batch


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
