"""The routes of the tracking protocol. Content types are ignored, and so is a slash at the end of a path."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import msgspec

from chatnation import Exchange, IngestRoute, Problem, Rejected
from chatnation.plugins.segment_compat import mapping, pixel, posthog
from chatnation.plugins.segment_compat.remote_settings import rudder_source_config, segment_settings
from chatnation.plugins.segment_compat.settings import SegmentSettings

Attempt = dict[str, Any] | Rejected
"""An event in our spelling, or why a call makes none."""

SUCCESS = b'{"success":true}'
WANT_RESULTS = b"x-want-results"
"""A request with this header is told which of its calls were not accepted. No SDK asks."""
_POST = ("POST", "OPTIONS")
_GET = ("GET", "HEAD", "OPTIONS")
_BROWSER_LETTERS = {"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias"}
_METRICS_BYTES = 1_000_000
"""The reports of SDKs about themselves may be as long as a native body; they are thrown away."""


class SegmentRoutes:
    """Handlers of the protocol. `enabled` says whether a tenant has the plugin switched on."""

    def __init__(
        self, settings: SegmentSettings, serve: Callable[[Any], Any], enabled: Callable[[int], bool], version: str
    ) -> None:
        self._settings = settings
        self._serve = serve
        self._enabled = enabled
        self._version = version

    def routes(self) -> Iterable[IngestRoute]:
        """Every path of the protocol."""
        for path in ("/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch"):
            yield from self._at(path, self._batch, _POST)
        for path, call_type in [*((kind, kind) for kind in sorted(mapping.CALL_TYPES)), *_BROWSER_LETTERS.items()]:
            yield from self._at(f"/v1/{path}", self._call(call_type), _POST)
        yield from self._at("/v1/merge", self._merge, _POST)
        yield from self._at("/v1/m", self._metrics, _POST)
        for path in ("/v1/projects/{write_key}/settings", "/projects/{write_key}/settings"):
            yield from self._at(path, self._segment_settings, _GET)
        yield from self._at("/sourceConfig", self._source_config, _GET)
        for call_type in ("track", "page"):
            yield from self._at(f"/pixel/v1/{call_type}", self._pixel(call_type), _GET)
        yield from self._at("/cluster-info", self._cluster, _GET)
        yield from self._at("/health", self._health, _GET)
        yield from self._at("/version", self._tell_version, _GET)
        for path in posthog.PATHS:
            yield from self._at(path, self._posthog, _POST)

    def _at(self, path: str, handle: Any, methods: tuple[str, ...]) -> Iterable[IngestRoute]:
        app = self._serve(handle)
        return (IngestRoute(path, app, methods), IngestRoute(f"{path}/", app, methods))

    async def _batch(self, exchange: Exchange) -> None:
        body = await self._read(exchange)
        await self._authenticate(exchange, body)
        calls = body.get("batch") if isinstance(body, dict) else None
        if not isinstance(calls, list):
            raise Problem(400, "invalid_batch", "Invalid batch: “batch” must be an array of calls.")
        if not calls:
            raise Problem(400, "empty_batch", "empty batch payload")
        if len(calls) > self._settings.max_batch_events:
            raise Problem(413, "too_many_events", f"A batch may hold {self._settings.max_batch_events} calls.")
        self._check_size(exchange, calls[0], self._settings.max_batch_bytes)
        context = body.get("context")
        rejected = await self._accept(
            exchange,
            [self._event(call, context) for call in calls],
            sent_at=mapping.sent_at_of(body, exchange.headers.get(b"sentat")),
            server_side=any(
                mapping.is_from_server(call, context, from_browser=exchange.from_browser)
                for call in calls
                if isinstance(call, dict)
            ),
        )
        await _answer(exchange, len(calls), rejected)

    def _call(self, call_type: str) -> Any:
        async def handle(exchange: Exchange) -> None:
            await self._take_single(exchange, lambda call: mapping.event_of(call, call_type))

        return handle

    async def _merge(self, exchange: Exchange) -> None:
        await self._take_single(exchange, mapping.merge_event_of)

    async def _take_single(self, exchange: Exchange, convert: Callable[[object], dict[str, Any]]) -> None:
        call = await self._read(exchange)
        await self._authenticate(exchange, call)
        if not isinstance(call, dict):
            raise Problem(400, "invalid_call", "Invalid JSON: a call must be an object.")
        self._check_size(exchange, call, self._settings.max_call_bytes)
        event = _tried(lambda: convert(call), call)
        if isinstance(event, Rejected) and event.code == mapping.NO_IDENTITY:
            raise Problem(400, event.code, "request neither has anonymousId nor userId")
        rejected = await self._accept(
            exchange,
            [event],
            sent_at=mapping.sent_at_of(call, exchange.headers.get(b"sentat")),
            server_side=mapping.is_from_server(call, from_browser=exchange.from_browser),
        )
        await _answer(exchange, 1, rejected)

    async def _read(self, exchange: Exchange) -> Any:
        """The body; who sent it, and so how long it may be, is seen only afterwards."""
        return await exchange.read_json(limit=max(self._settings.max_batch_bytes, self._settings.max_rudderstack_bytes))

    def _limit(self, call: object, limit: int) -> int:
        """`limit`, or the wider one that RudderStack's SDKs count on."""
        return max(limit, self._settings.max_rudderstack_bytes) if mapping.is_from_rudderstack(call) else limit

    def _check_size(self, exchange: Exchange, call: object, limit: int) -> None:
        limit = self._limit(call, limit)
        if exchange.body_bytes > limit:
            raise Problem(413, "request_too_large", f"Request size exceeds max limit: send at most {limit:,} bytes.")

    async def _metrics(self, exchange: Exchange) -> None:
        await exchange.read(limit=_METRICS_BYTES)
        await exchange.answer(200, SUCCESS)

    async def _segment_settings(self, exchange: Exchange) -> None:
        key = exchange.scope["path_params"]["write_key"]
        grant = await exchange.authenticate(key=key)
        self._check_enabled(grant.tenant.id)
        host = exchange.headers.get(b"host", b"").decode("latin-1")
        await exchange.answer(200, segment_settings(key, host, exchange.scope["scheme"]))

    async def _source_config(self, exchange: Exchange) -> None:
        grant = await exchange.authenticate()
        self._check_enabled(grant.tenant.id)
        key = exchange.key_in_request() or ""
        name = grant.project or ""
        await exchange.answer(200, rudder_source_config(key, f"{grant.tenant.slug}-{name}", name))

    def _pixel(self, call_type: str) -> Any:
        async def handle(exchange: Exchange) -> None:
            # Whatever happens, the page gets its picture.
            try:
                exchange.check_address()
                call = pixel.call_of(exchange.scope["query_string"])
                await self._authenticate(exchange, call)
                await self._accept(
                    exchange, [_tried(lambda: mapping.event_of(call, call_type), call)], server_side=False
                )
            except Problem as problem:
                exchange.note_failure(problem)
            except ValueError:
                exchange.note_failure(Problem(400, "invalid_query", "The address holds too much."))
            await exchange.answer_bytes(200, b"image/gif", pixel.GIF)

        return handle

    async def _posthog(self, exchange: Exchange) -> None:
        body = await exchange.read_json(limit=None)
        await self._authenticate(exchange, body)
        events, sent_at = posthog.events_of(body)
        acceptance = await exchange.accept(events, sent_at=sent_at, ids_of_project=True)
        await exchange.answer(200, {"status": 1, "accepted": acceptance.accepted})

    async def _cluster(self, exchange: Exchange) -> None:
        await exchange.answer(200, {"nodeCount": 1})

    async def _health(self, exchange: Exchange) -> None:
        await exchange.answer(200, {"server": "UP"})

    async def _tell_version(self, exchange: Exchange) -> None:
        await exchange.answer(200, {"version": self._version})

    async def _authenticate(self, exchange: Exchange, body: object) -> None:
        grant = await exchange.authenticate(body)
        self._check_enabled(grant.tenant.id)

    def _check_enabled(self, tenant_id: int) -> None:
        if not self._enabled(tenant_id):
            raise Problem(404, "source_disabled", "source is disabled")

    async def _accept(
        self, exchange: Exchange, events: Sequence[Attempt], *, sent_at: object = None, server_side: bool
    ) -> Collection[dict[str, Any]]:
        acceptance = await exchange.accept(events, sent_at=sent_at, server_side=server_side, ids_of_project=True)
        return [rejection.as_json() for rejection in acceptance.rejected]

    def _event(self, call: object, context: object) -> Attempt:
        def convert() -> dict[str, Any]:
            limit = self._limit(call, self._settings.max_call_bytes)
            if _size(call) > limit:
                raise Rejected("event_too_large", "", f"A call may be {limit:,} bytes long.")
            return mapping.event_of(call, context=context)

        return _tried(convert, call)


def _tried(convert: Callable[[], dict[str, Any]], call: object) -> Attempt:
    """The event of `call`, or why there is none: a bad call must not cost the others."""
    try:
        return convert()
    except Rejected as error:
        error.event = call
        return error


def _size(call: object) -> int:
    """Length of a call as JSON, in bytes."""
    try:
        return len(msgspec.json.encode(call))
    except UnicodeEncodeError:  # A lone surrogate, which the core replaces later.
        return len(json.dumps(call))


async def _answer(exchange: Exchange, calls: int, rejected: Collection[dict[str, Any]]) -> None:
    """200 and a JSON object, always: SDKs take anything else for a fault, and repeat the batch or drop it."""
    if WANT_RESULTS in exchange.headers:
        await exchange.answer(200, {"success": True, "accepted": calls - len(rejected), "rejected": list(rejected)})
    else:
        await exchange.answer(200, SUCCESS)
