"""PostHog's batch protocol, in the same terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chatnation import Problem, Rejected

PATHS = ("/batch", "/capture", "/e", "/i/v0/e")

_NAMES = {
    "$pageview": ("page", "page_view"),
    "$screen": ("screen", "screen_view"),
    "$identify": ("identify", "identify"),
    "$create_alias": ("alias", "alias"),
    "$groupidentify": ("group", "group"),
}


def events_of(body: object) -> tuple[Sequence[dict[str, Any] | Rejected], object]:
    """The events of a request, and when it was sent. Raises Problem."""
    if isinstance(body, list):
        return [_event(item) for item in body], None
    if not isinstance(body, Mapping):
        raise Problem(400, "invalid_body", "The body must be an object with a “batch” of events.")
    batch = body.get("batch", [body] if "event" in body else None)
    if not isinstance(batch, list):
        raise Problem(400, "invalid_batch", "“batch” must be an array of events.")
    return [_event(item) for item in batch], body.get("sent_at")


def _event(item: object) -> dict[str, Any] | Rejected:
    if not isinstance(item, Mapping):
        return Rejected("invalid_event", "", "An event must be an object.")
    properties = dict(_mapping(item.get("properties")))
    name = item.get("event")
    kind, native = _NAMES.get(name, ("track", name)) if isinstance(name, str) else ("track", name)
    visitor = item.get("distinct_id") or properties.get("distinct_id")
    anonymous = properties.pop("$anon_distinct_id", None) or properties.get("$device_id")
    # A browser that nobody identified uses its device id as distinct id; servers know their users.
    known = properties.get("$is_identified", visitor != properties.get("$device_id"))
    group = properties.get("$group_key") if kind == "group" else None
    event: dict[str, Any] = {
        "event_type": kind,
        "event_name": native,
        "message_id": item.get("uuid") or properties.get("$insert_id"),
        "timestamp": item.get("timestamp"),
        "user_id": visitor if known else None,
        "anonymous_id": anonymous or (None if known else visitor),
        "session_id": properties.get("$session_id"),
        "group_id": group,
        "context": _context(properties),
    }
    if kind == "alias":
        event["previous_id"] = properties.pop("alias", None)
    traits = {**_mapping(properties.pop("$set_once", None)), **_mapping(properties.pop("$set", None))}
    if kind == "identify":
        event["traits"] = {**traits, **_mapping(item.get("$set"))}
        event["properties"] = {}
    else:
        event["properties"] = {key: value for key, value in properties.items() if not key.startswith("$")}
    return event


def _context(properties: Mapping[str, Any]) -> dict[str, Any]:
    url = properties.get("$current_url")
    page = {
        "path": properties.get("$pathname"),
        "url": url,
        "title": properties.get("title"),
        "referrer": properties.get("$referrer") if properties.get("$referrer") != "$direct" else None,
    }
    return {
        "library": {"name": properties.get("$lib"), "version": properties.get("$lib_version")},
        "page": page if url else None,
        "userAgent": properties.get("$raw_user_agent"),
        "ip": properties.get("$ip"),
    }


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
