"""A tracking call of Segment or RudderStack as an event in our spelling. Pure functions."""

from __future__ import annotations

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
_CHANNELS = {"browser": "web", "web": "web", "mobile": "mobile", "server": "server"}
_CLIENT_LIBRARIES = (
    "analytics.js",
    "rudderlabs javascript",
    "android",
    "ios",
    "swift",
    "kotlin",
    "react-native",
    "flutter",
)

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
    return {
        "event_type": kind,
        "event_name": _EVENT_NAMES.get(kind) or call.get("event"),
        "message_id": _present(call, "messageId"),
        "timestamp": _present(call, "originalTimestamp") or _present(call, "timestamp"),
        "user_id": user_id,
        "anonymous_id": anonymous_id,
        # The browser SDK of Segment sends one id twice when a known user is given an alias: there is nothing to join.
        "previous_id": previous_id if kind == "alias" and previous_id != user_id else None,
        "session_id": _session(context, anonymous_id or user_id),
        "group_id": call.get("groupId"),
        "name": call.get("name"),
        "category": call.get("category"),
        "properties": call.get("properties"),
        "traits": call.get("traits"),
        "context": {**context, "channel": _channel(call, context)},
    }


def merge_event_of(call: object) -> dict[str, Any]:
    """The event of RudderStack's merge call, which says that two ids are one person."""
    pair = _mapping(call).get("mergeProperties")
    if not isinstance(pair, list) or len(pair) != 2:
        raise Rejected("invalid_merge", "mergeProperties", "A merge call names two ids.")
    first, second = (_mapping(entry) for entry in pair)
    return event_of(
        {
            **_mapping(call),
            "type": "alias",
            "userId": first.get("value"),
            "previousId": second.get("value"),
            "properties": {"type": first.get("type"), "previous_type": second.get("type")},
        }
    )


def is_from_server(call: object, context: object = None, *, from_browser: bool) -> bool:
    """Whether a call was sent by a customer's server: its channel says so, else its library, else the request."""
    call = _mapping(call)
    context = {**_mapping(context), **_mapping(call.get("context"))}
    channel = _stated_channel(call, context)
    if channel is not None:
        return channel == "server"
    library = _mapping(context.get("library")).get("name")
    if isinstance(library, str) and any(name in library.lower() for name in _CLIENT_LIBRARIES):
        return False
    return not from_browser


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


def _channel(call: Call, context: Call) -> str:
    """`server` for what happened on no screen, else where the visitor was."""
    stated = _stated_channel(call, context)
    if stated is not None and stated != "server":
        return stated
    described = context.get("page") or context.get("userAgent")
    return "web" if described or stated is None else "server"


def _stated_channel(call: Call, context: Call) -> str | None:
    for value in (call.get("channel"), context.get("channel")):
        if isinstance(value, str) and value.lower() in _CHANNELS:
            return _CHANNELS[value.lower()]
        if value == "whatsapp":
            return "whatsapp"
    if _mapping(context.get("device")) and _mapping(context.get("os")):
        return "mobile"
    return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
