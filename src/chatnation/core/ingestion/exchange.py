"""One request at the collector, from its first byte to the last of its answer.

A plugin that speaks another protocol gets an Exchange for each request and does with it what `capture.py` does: read,
authenticate, accept, answer. Limits, origins, privacy, the ledger and the stream are taken care of in here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.types import Receive, Scope, Send

from chatnation.core.auth.keys import KeyGrant, KeyType
from chatnation.core.errors import Problem, QueueUnavailable
from chatnation.core.ids import uuid7
from chatnation.core.ingestion import answers, body, credentials
from chatnation.core.ingestion.canonical import canonical_event, claimed_time
from chatnation.core.ingestion.event import Delivery
from chatnation.core.ingestion.limits import Allowance
from chatnation.core.ingestion.privacy import visitor_address
from chatnation.core.ingestion.rejections import Rejected, Rejection, sample_of
from chatnation.core.ingestion.wire import CanonicalBatch, CanonicalEvent, ClientEvent
from chatnation.core.storage.errors import DatabaseUnavailable
from chatnation.core.web.routing import Answer, Header

if TYPE_CHECKING:
    from chatnation.core.ingestion.collector import Collector

logger = logging.getLogger(__name__)

_BROWSER = b"Mozilla/"


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What became of the events of a request: how many are safely in the stream, and which ones never will be."""

    accepted: int
    rejected: list[Rejection] = field(default_factory=list)


class Exchange:
    """A request and its answer. Methods raise Problem; `fail` turns one into the answer.

    `headers` are by lower-case name. `body_bytes` is the length of the inflated body, once that is read. `grant` says
    whose key it is, once `authenticate` or `admit` has passed.
    """

    def __init__(self, collector: Collector, scope: Scope, receive: Receive, send: Send) -> None:
        self.collector = collector
        self._receive = receive
        self._send = send
        self.scope = scope
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.origin = self.headers.get(b"origin")
        self.received_ms = collector.now_ms()
        self.body_bytes = 0
        self.grant: KeyGrant | None = None
        self._allowance: Allowance | None = None

    @cached_property
    def request_id(self) -> str:
        """Names the request in the answer and in the log."""
        return uuid7().hex

    @property
    def client_host(self) -> str:
        """The other end of the connection, or what a trusted proxy says it is; "" if nobody knows."""
        client = self.scope.get("client")
        return client[0] if client else ""

    @property
    def user_agent(self) -> str | None:
        value = self.headers.get(b"user-agent")
        return value.decode("latin-1") if value else None

    @property
    def from_browser(self) -> bool:
        """Whether a browser made the request, as against a program on somebody's server."""
        return self.origin is not None or self.headers.get(b"user-agent", b"").startswith(_BROWSER)

    async def read(self, *, limit: int | None = None) -> bytes:
        """The inflated body, of at most `limit` bytes (default: the instance's). Counts against the address's rate."""
        self.check_address()
        limit = limit or self.collector.settings.max_body_bytes
        raw = await body.read_body(self._receive, limit=limit)
        inflated = body.inflate(raw, self.headers.get(b"content-encoding", b"").decode("latin-1"), limit=limit)
        self.body_bytes = len(inflated)
        return inflated

    def check_address(self) -> None:
        """Count the request against its address's rate; `read` does it for requests with a body."""
        self._allow(self.collector.limits.hit_address(self.client_host, self.received_ms / 1000))

    async def read_json(self, *, limit: int | None = None) -> Any:
        """The JSON value of the body, whatever its content type; see `body.parse` for what it lets pass."""
        return body.parse(await self.read(limit=limit))

    def key_in_request(self) -> str | None:
        """The write key in the headers or the address."""
        return credentials.key_from_headers(self.headers, self.scope["query_string"])

    async def authenticate(self, value: object = None, *, key: str | None = None) -> KeyGrant:
        """Check `key`, else that of headers, address, the body's JSON `value` or a bearer; then `admit` its holder."""
        key = (
            key
            or self.key_in_request()
            or credentials.key_from_body(value)
            or credentials.key_from_bearer(self.headers)
        )
        if key is None:
            raise Problem(401, "missing_write_key", "Missing write key: failed to read writekey from header or body.")
        grant = self.collector.keys.known(key)
        if grant is None:
            try:
                grant = await self.collector.keys.find(key)
            except DatabaseUnavailable as error:
                raise _busy("Keys cannot be checked now; try again.", 5) from error
        return self.admit(grant)

    def admit(self, grant: KeyGrant | None) -> KeyGrant:
        """Let in who brought a valid key that sends events, from a website that may, unless there were too many."""
        if grant is None or grant.project_id is None or not grant.type.sends_events:
            raise Problem(401, "invalid_write_key", "Invalid write key.")
        self.grant = grant
        if self.origin is not None:
            self._check_origin(grant, self.origin.decode("latin-1"))
        self._allowance = allowance = self.collector.limits.hit_key(grant.key_id, self.received_ms / 1000)
        self._allow(allowance)
        return grant

    async def accept(
        self,
        events: Sequence[object],
        *,
        sent_at: object = None,
        server_side: bool | None = None,
        ids_of_project: bool = False,
    ) -> Acceptance:
        """Put events on the stream; returns when it has them.

        `events` are JSON objects in any spelling that `canonical.py` knows; a `Rejected` in their place is reported and
        counted like one that is found wrong here. `server_side`: the request comes from a customer's server, so its
        address is not the visitor's (None: look at the request). `ids_of_project`: message ids are unique within the
        project only. Raises Problem 503 when the stream is away.
        """
        rejected: list[Rejection] = []
        accepted: list[CanonicalEvent] = []
        for index, event in enumerate(events):
            try:
                canonical = canonical_event(event)
            except Rejected as error:
                rejected.append(self.reject(error, index))
            else:
                canonical.project_scoped = ids_of_project
                accepted.append(canonical)
        if accepted:
            if server_side is None:
                server_side = not self.from_browser and not any(map(describes_a_visitor, accepted))
            self._protect(accepted, server_side=server_side)
            batch = CanonicalBatch(accepted, claimed_time(sent_at))
            await self._stream(batch, server_side=server_side)
        return Acceptance(len(accepted), rejected)

    def reject(self, error: Rejected, index: int = 0) -> Rejection:
        """Count an event that is not accepted."""
        rejection = error.at(index)
        if self.grant is not None and self.grant.project_id is not None:
            self.collector.notes.reject(
                self.grant.tenant.id,
                self.grant.project_id,
                self.received_ms,
                rejection.code,
                {**sample_of(error), "user_agent": (self.user_agent or "")[:100]},
            )
        return rejection

    def delivery(self, payload: bytes, count: int, *, server_side: bool) -> Delivery:
        """A delivery of this request."""
        grant = self.grant
        assert grant is not None
        assert grant.project_id is not None
        address, for_location = visitor_address(self.client_host, grant.ip_mode)
        return Delivery(
            self.collector.new_delivery_id(self.received_ms),
            grant.tenant.id,
            grant.project_id,
            self.received_ms,
            count,
            payload,
            address,
            for_location,
            self.user_agent if self.from_browser else None,
            server_side or grant.type is KeyType.SERVER,
        )

    async def publish(self, partition: int, delivery: Delivery) -> None:
        """Append a delivery to the stream. Raises Problem 503."""
        try:
            await self.collector.publisher.publish(partition, delivery)
        except QueueUnavailable as error:
            raise no_stream(error) from error

    def submit(self, deliveries: Sequence[tuple[int, Delivery]]) -> asyncio.Future[Any]:
        """Append deliveries, each to its partition; gives what is done when the stream has them all.

        That fails with QueueUnavailable. Raises Problem 503 when nothing can be appended now.
        """
        try:
            futures = [self.collector.publisher.submit(partition, delivery) for partition, delivery in deliveries]
        except QueueUnavailable as error:
            raise no_stream(error) from error
        return futures[0] if len(futures) == 1 else asyncio.gather(*futures)

    async def answer(self, status: int, value: object, *, headers: Sequence[Header] = ()) -> None:
        """Send JSON: `value`, or bytes that hold JSON already."""
        payload = value if isinstance(value, bytes) else msgspec.json.encode(value)
        await self.answer_bytes(status, b"application/json", payload, headers=headers)

    async def answer_bytes(
        self, status: int, content_type: bytes, payload: bytes, *, headers: Sequence[Header] = ()
    ) -> None:
        """Send any body."""
        ready = self.counted_answer(status, payload, content_type=content_type, headers=headers)
        await answers.send_answer(self._send, ready, scope=self.scope)

    def counted_answer(
        self,
        status: int,
        payload: bytes,
        *,
        content_type: bytes = b"application/json",
        headers: Sequence[Header] = (),
    ) -> Answer:
        """An answer to this request, for somebody who sends it; it is counted now."""
        self.collector.count(status)
        all_headers = (*answers.cors_headers(self.origin), *self._rate_headers(), *headers)
        return answers.answer_of(status, content_type, payload, all_headers)

    async def preflight(self) -> None:
        """Answer a browser that asks whether it may send its request."""
        requested = self.headers.get(b"access-control-request-headers")
        headers = answers.preflight_headers(self.origin, requested)
        await self._send({"type": "http.response.start", "status": 204, "headers": headers})
        await self._send({"type": "http.response.body", "body": b""})

    async def fail(self, problem: Problem, *, extra: Mapping[str, Any] | None = None) -> None:
        """Send an error, and count the events that are lost by it: they are not sent again after a 4xx but 429."""
        await answers.send_answer(self._send, self.failure(problem, extra=extra), scope=self.scope)

    def failure(self, problem: Problem, *, extra: Mapping[str, Any] | None = None) -> Answer:
        """What `fail` sends, for somebody else who does."""
        if extra is None:
            self.note_failure(problem)
        named = (b"x-request-id", self.request_id.encode())
        value = msgspec.json.encode(answers.error_body(problem, self.request_id, extra))
        return self.counted_answer(problem.status, value, headers=(*answers.problem_headers(problem), named))

    def note_failure(self, problem: Problem) -> None:
        """Count the request as lost, or as turned away when its client will send it again."""
        grant = self.grant
        if grant is None or grant.project_id is None:
            return
        if problem.status == 429 or problem.status >= 500:
            self.collector.notes.turn_away(
                grant.tenant.id, grant.project_id, self.received_ms, problem.code, {"message": problem.detail}
            )
        else:
            self.reject(Rejected(problem.code, "", problem.detail))

    async def crash(self, error: Exception) -> None:
        """Answer what nobody expected, without telling the client what it was."""
        logger.error("request %s to %s failed", self.request_id, self.scope["path"], exc_info=error)
        await self.fail(Problem(500, "internal_error", "Something went wrong on our side; it was logged."))

    def _protect(self, events: Sequence[CanonicalEvent], *, server_side: bool) -> None:
        """Treat addresses and properties as the project wants it."""
        grant = self.grant
        assert grant is not None
        masker = self.collector.masker(grant)
        for event in events:
            if event.ip is not None:
                # What a browser claims its address to be is not worth more than the one that we see.
                stated = event.ip if server_side or not self.from_browser else ""
                event.ip, event.geo_ip = visitor_address(stated, grant.ip_mode)
            if masker is not None:
                masker.apply(event, event.context, event.properties)

    async def _stream(self, batch: CanonicalBatch, *, server_side: bool) -> None:
        for partition, events in self.collector.partitioned(batch.batch).items():
            payload = msgspec.json.encode(CanonicalBatch(events, batch.sent_at))
            await self.publish(partition, self.delivery(payload, len(events), server_side=server_side))

    def _check_origin(self, grant: KeyGrant, origin: str) -> None:
        if grant.type is KeyType.SERVER:
            raise Problem(403, "server_key_in_browser", "This key is for servers; a web page must not know it.")
        if not grant.origins.allows(origin):
            raise Problem(403, "origin_not_allowed", "This website may not send events with this key.")

    def _allow(self, allowance: Allowance) -> None:
        if not allowance.allowed:
            self._allowance = allowance
            wait = str(allowance.reset_seconds)
            raise Problem(
                429, "rate_limited", "Max requests limit reached; try again later.", headers={"Retry-After": wait}
            )

    def _rate_headers(self) -> Sequence[Header]:
        allowance = self._allowance
        if allowance is None or not allowance.limit:
            return ()
        return (
            (b"x-ratelimit-limit", b"%d" % allowance.limit),
            (b"x-ratelimit-remaining", b"%d" % allowance.remaining),
            (b"x-ratelimit-reset", b"%d" % allowance.reset_seconds),
        )


def describes_a_visitor(event: CanonicalEvent | ClientEvent) -> bool:
    """Whether the sender says what browser or page it was: then it speaks from there, or for who was there."""
    return event.context.user_agent is not None or event.context.page is not None


def no_stream(error: QueueUnavailable) -> Problem:
    """What a client is told while nothing can be appended to the stream."""
    return _busy("Events cannot be taken now; try again.", error.retry_after)


def _busy(sentence: str, retry_after: int) -> Problem:
    return Problem(503, "unavailable", sentence, headers={"Retry-After": str(retry_after)})
