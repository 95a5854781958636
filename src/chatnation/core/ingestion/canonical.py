"""Every spelling of an event that is in the field, brought into the one of `wire.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatnation.core.ingestion.cleaning import TooDeep, clean, clean_text
from chatnation.core.ingestion.rejections import Rejected
from chatnation.core.ingestion.wire import (
    EVENT_NAME_LENGTH,
    EVENT_TYPE_LENGTH,
    ID_LENGTH,
    MAX_SEQUENCE,
    USER_ID_LENGTH,
    CanonicalEvent,
    Context,
    Library,
    Page,
)

_NAMES_BY_TYPE = {
    "page": "page_view",
    "screen": "screen_view",
    "identify": "identify",
    "group": "group",
    "alias": "alias",
}
_PAGE_KEYS = ("path", "url", "title", "referrer", "search")
_LONGEST_PAGE_TEXT = 4_000
_MOST_CAMPAIGN_KEYS = 20
_LONGEST_CAMPAIGN_TEXT = 500


def canonical_event(event: object) -> CanonicalEvent:
    """The event in our own spelling; unknown keys are left out. Raises Rejected.

    Takes snake_case and the camelCase of Segment's tracking calls (`event`, `type`, `userId`, `traits`, …), ids that
    are numbers, and flags that are text. Null and "" count as absent. The address `context.ip` is kept apart in `ip`,
    for the caller to treat as the project wants it. A Rejected is raised as it is.
    """
    if isinstance(event, Rejected):
        raise event
    try:
        return _canonical(event)
    except Rejected as error:
        error.event = event
        raise


def claimed_time(value: object) -> str | float | None:
    """A time as a client wrote it, if it may be one at all; it is read later."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return clean_text(value)[:64] if isinstance(value, str) else value


def _canonical(event: object) -> CanonicalEvent:
    if not isinstance(event, dict):
        raise Rejected("invalid_event", "", "An event must be an object.")
    context = event.get("context")
    context = context if isinstance(context, dict) else {}
    event_type = _text(event, "event_type", "type", limit=EVENT_TYPE_LENGTH)
    return CanonicalEvent(
        event_name=_event_name(event, event_type),
        event_type=event_type,
        message_id=_text(event, "message_id", "messageId", limit=ID_LENGTH),
        event_id=_text(event, "event_id", "eventId", limit=ID_LENGTH),
        timestamp=claimed_time(event.get("timestamp")),
        anonymous_id=_text(event, "anonymous_id", "anonymousId", limit=ID_LENGTH),
        session_id=_text(event, "session_id", "sessionId", limit=ID_LENGTH),
        user_id=_text(event, "user_id", "userId", limit=USER_ID_LENGTH),
        previous_id=_text(event, "previous_id", "previousId", limit=USER_ID_LENGTH),
        sequence=_sequence(event.get("sequence")),
        journey_start=_flag(_first(event, "journey_start", "journeyStart")),
        journey_end=_flag(_first(event, "journey_end", "journeyEnd")),
        context=_context(context),
        properties=_properties(event, event_type, context),
        ip=_loose_text(context.get("ip"), 64),
        use_connection=context.get("direct") is True,
    )


def _event_name(event: Mapping[str, Any], event_type: str | None) -> str:
    name = _text(event, "event_name", "event", limit=EVENT_NAME_LENGTH)
    if name is None and event_type is not None:
        name = _NAMES_BY_TYPE.get(event_type.lower())
    if name is None or not name.strip():
        raise Rejected("missing_event_name", "event_name", "The event has no name.")
    return name


def _properties(event: Mapping[str, Any], event_type: str | None, context: Mapping[str, Any]) -> dict[str, Any]:
    """The properties, with what a call keeps beside them: traits, the group, a page's name and category."""
    properties = _object(event, "properties")
    if event_type in {"identify", "group"}:
        known = context.get("traits") if event_type == "identify" else None
        properties = {**(known if isinstance(known, dict) else {}), **_object(event, "traits"), **properties}
    extra: dict[str, Any] = {}
    if event_type == "group":
        extra["group_id"] = _first(event, "group_id", "groupId")
    elif event_type in {"page", "screen"}:
        extra = {"name": event.get("name"), "category": event.get("category")}
    for key, value in extra.items():
        if isinstance(value, (str, int)) and value != "":
            properties.setdefault(key, value)
    try:
        cleaned: dict[str, Any] = clean(properties)
    except TooDeep:
        raise Rejected("too_deep", "properties", "The properties are nested too deep.") from None
    return cleaned


def _object(event: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = event.get(key)
    if value is None or value == "" or value == []:  # PHP writes an empty object as an empty array.
        return {}
    if not isinstance(value, dict):
        raise Rejected("invalid_field", key, f"“{key}” must be an object.")
    return dict(value)


def _context(context: Mapping[str, Any]) -> Context:
    library, page = context.get("library"), context.get("page")
    return Context(
        library=Library(_loose_text(library.get("name"), 100), _loose_text(library.get("version"), 100))
        if isinstance(library, dict)
        else None,
        page=Page(**{key: _loose_text(page.get(key), _LONGEST_PAGE_TEXT) for key in _PAGE_KEYS})
        if isinstance(page, dict)
        else None,
        campaign=_campaign(context.get("campaign")),
        user_agent=_loose_text(_first(context, "userAgent", "user_agent"), 1_000),
        channel=_loose_text(context.get("channel"), 20),
        external_id=_loose_text(_first(context, "externalId", "external_id"), 100),
        handshake_token=_loose_text(_first(context, "handshakeToken", "handshake_token"), 100),
    )


def _campaign(value: object) -> dict[str, str] | None:
    if not isinstance(value, dict):
        return None
    texts = {clean_text(str(key))[:100]: _loose_text(item, _LONGEST_CAMPAIGN_TEXT) for key, item in value.items()}
    kept = {key: text for key, text in texts.items() if text is not None}
    return dict(list(kept.items())[:_MOST_CAMPAIGN_KEYS]) or None


def _first(event: Mapping[str, Any], *keys: str) -> Any:
    """The value of the first of `keys` that has one."""
    for key in keys:
        value = event.get(key)
        if value is not None and value != "":
            return value
    return None


def _text(event: Mapping[str, Any], *keys: str, limit: int) -> str | None:
    """A text that matters, such as an id: rejected when it cannot be kept as it is."""
    value = _first(event, *keys)
    if value is None:
        return None
    text = _as_text(value)
    if text is None:
        raise Rejected("invalid_field", keys[0], f"“{keys[0]}” must be text.")
    if len(text) > limit:
        raise Rejected("field_too_long", keys[0], f"“{keys[0]}” is longer than {limit} characters.")
    return text or None


def _loose_text(value: object, limit: int) -> str | None:
    """A text that describes: cut when it is too long, left out when it is none."""
    text = None if value is None else _as_text(value)
    return text[:limit] if text else None


def _as_text(value: object) -> str | None:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return str(int(value)) if isinstance(value, int) or value.is_integer() else repr(value)


def _sequence(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MAX_SEQUENCE else None


def _flag(value: object) -> bool | None:
    """A flag; the text "false" is false."""
    return True if value is True or (isinstance(value, str) and value.strip().lower() == "true") else None
