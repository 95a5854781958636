"""Events as clients send them: JSON-ready dicts for `POST /v1/capture`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chatnation.core.ids import uuid7

Wire = dict[str, Any]
"""One event on the wire."""


def track(
    event_name: str,
    properties: dict[str, Any] | None = None,
    *,
    at: datetime | None = None,
    visitor: str | None = None,
    session: str | None = None,
    user: str | None = None,
    context: dict[str, Any] | None = None,
    **fields: Any,
) -> Wire:
    """An event of any name, now and by a visitor of its own unless given. `fields` are set as they are."""
    return {
        "event_id": str(uuid7()),
        "event_name": event_name,
        "event_type": "track",
        "timestamp": (at or datetime.now(UTC)).isoformat(),
        "anonymous_id": visitor or str(uuid7()),
        "session_id": session,
        "user_id": user,
        "context": context or {},
        "properties": properties or {},
        **fields,
    }


def page_view(path: str = "/", *, referrer: str | None = None, title: str = "A page", **options: Any) -> Wire:
    """A page view of a website; `options` as for `track`."""
    page = {"path": path, "url": f"https://example.org{path}", "title": title}
    if referrer is not None:
        page["referrer"] = referrer
    context = {"page": page, **options.pop("context", {})}
    return track("page_view", event_type="page", context=context, **options)


def identify(user: str, traits: dict[str, Any] | None = None, **options: Any) -> Wire:
    """Says who a visitor is; `options` as for `track`."""
    return track("identify", traits, event_type="identify", user=user, **options)


def whatsapp_message(phone: str, text: str, *, sent: bool = False, **options: Any) -> Wire:
    """A WhatsApp message of a contact, or to it with `sent`; `options` as for `track`."""
    direction = "to" if sent else "from"
    properties = {
        "messageId": f"wamid.{uuid7().hex}",
        direction: phone,
        "type": "text",
        "text": {"body": text},
        **options.pop("properties", {}),
    }
    context = {"channel": "whatsapp", "externalId": phone, **options.pop("context", {})}
    name = "message.sent" if sent else "message.received"
    return track(name, properties, user=phone, visitor=phone, context=context, **options)
