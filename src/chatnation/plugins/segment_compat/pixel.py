"""RudderStack's pixel: a call as the address of an invisible picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
_MOST_FIELDS = 500


def call_of(query_string: bytes) -> dict[str, Any]:
    """The call in the query: `properties.plan=gold` is the property `plan`. Raises ValueError."""
    call: dict[str, Any] = {}
    fields = parse_qsl(query_string.decode("latin-1"), keep_blank_values=False, max_num_fields=_MOST_FIELDS)
    for name, value in fields:
        *path, last = name.split(".")
        holder: Any = call
        for part in path:
            holder = holder.setdefault(part, {})
            if not isinstance(holder, Mapping):
                break
        if isinstance(holder, dict):
            holder[last] = value
    return call
