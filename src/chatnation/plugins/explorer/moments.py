"""Events as a reader of a timeline sees them: what they say, and how much they matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from chatnation.query import EventRow

Side = Literal["", "in", "out"]

INSIGNIFICANT = frozenset({"page_view", "screen_view", "message.delivered", "message.read", "session.start"})
RECEIPTS = {"message.delivered": "delivered", "message.read": "read"}
ERRORS = frozenset({"app_error", "ai.error"})
CHANNEL_ICONS = {
    "web": "world",
    "mobile": "device-mobile",
    "whatsapp": "brand-whatsapp",
    "agent": "headset",
    "ai": "robot",
}
_ICONS = {
    "page_view": "eye",
    "screen_view": "eye",
    "identify": "id",
    "alias": "link",
    "ai.classification": "robot",
    "ai.generation": "robot",
    "agent.handoff": "headset",
    "chat.transferred": "arrows-exchange",
    "chat.assigned": "user-check",
    "chat.resolved": "circle-check",
    "csat.sent": "send",
    "csat_submitted": "star",
    "app_error": "alert-triangle",
    "ai.error": "alert-triangle",
}
_TITLES = {
    "page_view": "Page view",
    "screen_view": "Screen view",
    "identify": "Identified",
    "ai.classification": "AI understood",
    "ai.generation": "AI answered",
    "ai.error": "AI error",
    "app_error": "Error",
    "agent.handoff": "Handed to an agent",
    "chat.transferred": "Transferred",
    "chat.assigned": "Assigned",
    "chat.resolved": "Resolved",
    "csat.sent": "Survey sent",
    "csat_submitted": "Rated",
}
_LONGEST_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class Moment:
    """One event in a timeline.

    `side`: a message that came in from the contact, or went out to them. `receipt`: how far one that went out came.
    """

    event: EventRow
    title: str
    text: str
    icon: str
    tone: str
    side: Side
    significant: bool
    receipt: str = ""
    by: str = ""


def is_error(event: EventRow) -> bool:
    """Whether an event says that something went wrong."""
    return event.event_name in ERRORS or event.event_name.endswith(("_error", ".error"))


def moments(events: Iterable[EventRow]) -> list[Moment]:
    """Events in the order given, with messages and what became of them put together."""
    events = list(events)
    receipts = _receipts(events)
    return [moment(event, receipts) for event in events]


def moment(event: EventRow, receipts: Mapping[str, str] = {}) -> Moment:
    """One event as a reader sees it; `receipts` by the id of the message."""
    name, properties = event.event_name, event.properties
    side: Side = "in" if name == "message.received" else "out" if name == "message.sent" else ""
    return Moment(
        event=event,
        title=_TITLES.get(name, name),
        text=_text(event)[:_LONGEST_TEXT],
        icon=_ICONS.get(name) or CHANNEL_ICONS.get(event.channel_type, "point"),
        tone=_tone(event),
        side=side,
        significant=name not in INSIGNIFICANT and event.event_type not in ("page", "screen"),
        receipt=receipts.get(_message_id(properties), "") if side == "out" else "",
        by=_author(event) if side else "",
    )


def _receipts(events: Sequence[EventRow]) -> dict[str, str]:
    """By message the furthest that it came: read is further than delivered."""
    found: dict[str, str] = {}
    for event in events:
        state, message = RECEIPTS.get(event.event_name), _message_id(event.properties)
        if state and message and found.get(message) != "read":
            found[message] = state
    return found


def _tone(event: EventRow) -> str:
    if is_error(event):
        return "danger"
    if event.event_name in ("agent.handoff", "chat.transferred"):
        return "orange"
    if event.journey_end or event.event_name in ("chat.resolved", "csat_submitted"):
        return "green"
    return "primary" if event.journey_start else ""


def _text(event: EventRow) -> str:
    name, said = event.event_name, event.properties
    match name:
        case "message.received" | "message.sent":
            return message_text(said)
        case "ai.classification":
            return _joined(_plain(said.get("detected_intent")), _share(said.get("confidence")), _model(said))
        case "ai.generation":
            return _joined(_plain(said.get("output_text")), _model(said))
        case "ai.error":
            recovered = said.get("recovered")
            outcome = "recovered" if recovered is True else "not recovered" if recovered is False else ""
            return _joined(_plain(said.get("error_type")), outcome, _plain(said.get("fallback_action")))
        case "app_error":
            return _joined(_plain(said.get("error_code")), _plain(said.get("message")))
        case "agent.handoff":
            agent = _plain(said.get("agentName")) or _plain(said.get("agentId"))
            return _joined(agent, _plain(said.get("handoffReason")), _plain(said.get("journeyStep")))
        case "chat.transferred":
            to = _plain(said.get("toAgentId")) or _plain(said.get("toTeamId"))
            return _joined(f"{_plain(said.get('fromAgentId'))} → {to}", _plain(said.get("reason")))
        case "chat.resolved":
            return _joined(*(_plain(said.get(key)) for key in ("agentId", "category", "outcome")))
        case "csat_submitted":
            return _joined(_stars(said.get("rating")), _plain(said.get("feedback")))
    step = _plain(said.get("step")) or _plain(said.get("journeyStep"))
    page = _joined(event.page_path or "", event.page_title or "" if event.page_path else "")
    return page if step.casefold() in page.casefold() else _joined(page, step)


def message_text(properties: Mapping[str, Any]) -> str:
    """What a message says: its text, caption or template; else of which kind it is."""
    template = properties.get("template")
    for value in (properties.get("text"), properties.get("content"), properties.get("caption")):
        if isinstance(value, Mapping):
            value = value.get("body")
        if found := _plain(value):
            return found
    name = _plain(template.get("name")) if isinstance(template, Mapping) else _plain(properties.get("templateId"))
    kind = _plain(properties.get("type")) or _plain(properties.get("contentType")) or "message"
    return f"[template {name}]" if name else f"[{kind}]"


def _author(event: EventRow) -> str:
    said = event.properties
    if event.event_name == "message.received":
        return _plain(said.get("name")) or _plain(said.get("profileName")) or "Contact"
    return _plain(said.get("agentName")) or _plain(said.get("agentId")) or "Bot"


def _message_id(properties: Mapping[str, Any]) -> str:
    return _plain(properties.get("messageId")) or _plain(properties.get("message_id"))


def _model(said: Mapping[str, Any]) -> str:
    return _plain(said.get("model"))


def _share(value: object) -> str:
    is_share = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    return f"{value:.0%}" if is_share else ""


def _stars(value: object) -> str:
    text = _plain(value)
    return "★" * int(text) + "☆" * (5 - int(text)) if text in ("1", "2", "3", "4", "5") else text


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _plain(value: object) -> str:
    """A text or number as text; anything else says nothing here."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()
