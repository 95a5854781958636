"""Why an event was not accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_MOST_KEYS = 20
_LONGEST_KEY = 50


@dataclass(frozen=True, slots=True)
class Rejection:
    """One event that was refused: its place in the batch, a stable `code`, the field, and a sentence for people."""

    index: int
    code: str
    path: str
    message: str
    message_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """For the response."""
        return {
            "index": self.index,
            "message_id": self.message_id,
            "code": self.code,
            "path": self.path,
            "message": self.message,
        }


class Rejected(ValueError):
    """Raised by whoever looks at one event; `at` makes the Rejection of it. `event` is the event, where it is known."""

    def __init__(self, code: str, path: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.path = path
        self.message = message
        self.event: object = None

    def at(self, index: int) -> Rejection:
        """The rejection of the event that stands at `index`."""
        return Rejection(index, self.code, self.path, self.message, message_id_of(self.event))


def message_id_of(event: object) -> str | None:
    """The id that the client gave the event, as far as it can be told."""
    if isinstance(event, dict):
        for key in ("message_id", "messageId", "event_id", "eventId"):
            value = event.get(key)
            if isinstance(value, (str, int)) and value != "":
                return str(value)[:255].encode("utf-8", "replace").decode().replace("\0", "")
    return None


def sample_of(error: Rejected) -> dict[str, Any]:
    """What an operator is shown of a rejected event: its shape, without the values, which may be personal."""
    return {"path": error.path, "message": error.message, "shape": _shape(error.event)}


def _shape(value: object, depth: int = 0) -> Any:
    if isinstance(value, dict):
        if depth == 3:
            return "object"
        keys = list(value)[:_MOST_KEYS]
        return {_key(key): _shape(value[key], depth + 1) for key in keys}
    if isinstance(value, list):
        return [_shape(value[0], depth + 1)] if value and depth < 3 else "array"
    if value is None:
        return "null"
    return {str: "text", bool: "boolean", int: "number", float: "number"}.get(type(value), "unknown")


def _key(key: object) -> str:
    return str(key)[:_LONGEST_KEY].encode("utf-8", "replace").decode().replace("\0", "")
