"""A tracking call of Segment or RudderStack as an event in our spelling. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chatnation import Rejected

CALL_TYPES = frozenset({"track", "identify", "page", "screen", "group", "alias"})
NO_IDENTITY = "no_user_anon_id"

_EVENT_NAMES = {
    "identify": "identify",
    "page": "page_view",
    "screen": "screen_view",
    "group": "group",
    "alias": "alias",
}
_CHANNELS = {"browser": "web", "web": "web", "mobile": "mobile", "server": "server", "whatsapp": "whatsapp"}
_CLIENT_LIBRARY = re.compile(
    r"analytics\.js|rudderlabs javascript|android|kotlin|swift|flutter|react.?native|(?<![a-z])ios(?![a-z])",
    re.IGNORECASE,
)
"""Names of libraries that run where the visitor is; every other one is taken for a server's."""

_PAGE_KEYS = ("path", "url", "title", "referrer", "search")
_NO_REFERRER = "$direct"

Call = Mapping[str, Any]


def event_of(call: object, call_type: str | None = None, *, context: object = None) -> dict[str, Any]:
    """The event of one call. `call_type`: what the path says; `context`: what the batch says of all its calls.

    Raises Rejected. Names, lengths and types of what is handed on are checked by the core.
    """
    if not isinstance(call, Mapping):
        raise Rejected("invalid_event", "", "A call must be an object.")
    kind = call_type or _kind(call)
    context = {**_mapping(context), **_mapping(call.get("context"))}
    user_id, anonymous_id = _present(call, "userId"), _present(call, "anonymousId")
    if kind == "alias":
        _require(call, "previousId", "missing_previous_id")
    elif user_id is None and anonymous_id is None:
        raise Rejected(NO_IDENTITY, "userId", "Request neither has anonymousId nor userId.")
    if kind == "group":
        _require(call, "groupId", "missing_group_id")
    previous_id = _present(call, "previousId")
    properties = call.get("properties")
    return {
        "event_type": kind,
        "event_name": _EVENT_NAMES.get(kind) or call.get("event"),
        "message_id": _present(call, "messageId"),
        "timestamp": _present(call, "originalTimestamp") or _present(call, "timestamp"),
        "user_id": user_id,
        "anonymous_id": anonymous_id,
        # The browser SDK of Segment sends one id twice when a known user is given an alias: there is nothing to join.
        "previous_id": previous_id if kind == "alias" and str(previous_id) != str(user_id) else None,
        "session_id": _session(context, anonymous_id or user_id),
        "group_id": call.get("groupId"),
        "name": call.get("name"),
        "category": call.get("category"),
        "properties": properties,
        "traits": call.get("traits"),
        "context": {
            **context,
            "channel": _channel(kind, call, context),
            "page": _page(context, properties if kind == "page" else None),
        },
    }


def merge_event_of(call: object) -> dict[str, Any]:
    """The event of RudderStack's merge call, which says that two ids are one person."""
    pair = _mapping(call).get("mergeProperties")
    if not isinstance(pair, list) or len(pair) != 2:
        raise Rejected("invalid_merge", "mergeProperties", "A merge call names two ids.")
    # A merge has no direction; an id that is only a browser's is the lesser one of the two.
    current, previous = sorted(map(_mapping, pair), key=_is_anonymous)
    return event_of(
        {
            **_mapping(call),
            "type": "alias",
            "anonymousId" if _is_anonymous(current) else "userId": current.get("value"),
            "previousId": previous.get("value"),
            "properties": {"type": current.get("type"), "previous_type": previous.get("type")},
        }
    )


def is_from_server(call: object, context: object = None, *, from_browser: bool) -> bool:
    """Whether a call was sent by a customer's server: its channel says so, else its library, else the request.

    In doubt it was: the address of a server must not become the place of a visitor.
    """
    call = _mapping(call)
    context = {**_mapping(context), **_mapping(call.get("context"))}
    channel = _stated_channel(call, context)
    if channel is not None:
        return channel == "server"
    library = _mapping(context.get("library")).get("name")
    if isinstance(library, str) and library:
        return not from_browser and _CLIENT_LIBRARY.search(library) is None
    return not from_browser and not _describes_device(context)


def is_from_rudderstack(call: object) -> bool:
    """Whether an SDK of RudderStack made the call: only those state a channel beside the context."""
    return isinstance(call, Mapping) and "channel" in call


def sent_at_of(body: Mapping[str, Any], header: bytes | None) -> object:
    """When the client sent the request, by its clock: said of the batch, of its first call, or in a header."""
    batch = body.get("batch")
    first = batch[0] if isinstance(batch, list) and batch else None
    return (
        _present(body, "sentAt")
        or _present(_mapping(first), "sentAt")
        or (header.decode("latin-1") if header else None)
    )


def _kind(call: Call) -> str:
    kind = call.get("type")
    if not isinstance(kind, str) or kind.lower() not in CALL_TYPES:
        raise Rejected("unknown_type", "type", f"“type” must be one of {', '.join(sorted(CALL_TYPES))}.")
    return kind.lower()


def _require(call: Call, key: str, code: str) -> None:
    if _present(call, key) is None:
        raise Rejected(code, key, f"“{key}” is missing.")


def _present(call: Call, key: str) -> Any:
    """A value, unless it is written as absent: null or the empty text."""
    value = call.get(key)
    return None if value == "" else value


def _session(context: Call, visitor: object) -> str | None:
    """The session, in the words of the client. RudderStack's are times, which only their visitor makes unique."""
    session = context.get("sessionId")
    if session is None or session == "" or isinstance(session, (dict, list, bool)):
        return None
    return f"{visitor}:{session}"[:255]


def _channel(kind: str, call: Call, context: Call) -> str:
    """`server` for what happened on no screen, else where the visitor was."""
    stated = _stated_channel(call, context)
    if stated == "server":
        # With a browser's id it belongs to what was done in that browser.
        seen = kind == "page" or context.get("page") or context.get("userAgent") or _present(call, "anonymousId")
        return "web" if seen else "server"
    return stated or ("mobile" if _describes_device(context) else "web")


def _stated_channel(call: Call, context: Call) -> str | None:
    for value in (call.get("channel"), context.get("channel")):
        if isinstance(value, str) and value.lower() in _CHANNELS:
            return _CHANNELS[value.lower()]
    return None


def _describes_device(context: Call) -> bool:
    return bool(_mapping(context.get("device")) and _mapping(context.get("os")))


def _page(context: Call, properties: object) -> dict[str, Any] | None:
    """The page of a call: that of its context, and what a page call says of it in its properties."""
    stated, told = _mapping(context.get("page")), _mapping(properties)
    page = {key: _present(stated, key) or _present(told, key) for key in _PAGE_KEYS}
    if page["referrer"] == _NO_REFERRER:
        page["referrer"] = None
    return page if any(page.values()) else None


def _is_anonymous(entry: Call) -> bool:
    return entry.get("type") == "anonymousId"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
