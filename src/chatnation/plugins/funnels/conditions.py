"""Conditions in words, and as rows of a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chatnation.query import Condition, Filter

OPERATORS: Mapping[str, str] = {
    "is": "is",
    "is_not": "is not",
    "contains": "contains",
    "not_contains": "does not contain",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "matches": "matches (* for anything)",
    "is_set": "is there",
    "is_not_set": "is not there",
    "gt": "is more than",
    "gte": "is at least",
    "lt": "is less than",
    "lte": "is at most",
    "between": "is between",
}
WITHOUT_VALUE = frozenset({"is_set", "is_not_set"})
BETWEEN_VALUES = "|"
"""Stands between the values of a condition in a form."""

_PLAIN_NAMES = {
    "page_path": "page",
    "event_name": "event",
    "country_code": "country",
    "device_type": "device",
    "channel_type": "channel",
    "browser_name": "browser",
    "os_name": "operating system",
}
_SCOPES = {"properties.": "property", "person.": "person's", "session.": "visit's", "time.": "local"}


def field_label(name: str) -> str:
    """A field in words: properties.amount → property amount."""
    for scope, word in _SCOPES.items():
        if name.startswith(scope):
            return f"{word} {name.removeprefix(scope).replace('_', ' ')}"
    return _PLAIN_NAMES.get(name, name.replace("_", " "))


def value_text(value: object) -> str:
    """A value as it is typed."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def in_words(condition: Condition) -> str:
    """A condition in words."""
    if not isinstance(condition, Filter):
        return " or ".join(in_words(one) for one in condition.any_of)
    words = OPERATORS[condition.operator].partition(" (")[0]
    if condition.operator in WITHOUT_VALUE:
        return f"{field_label(condition.field)} {words}"
    values = [f"“{value_text(value)}”" for value in condition.values]
    return (
        f"{field_label(condition.field)} {words} {joined(values, 'and' if condition.operator == 'between' else 'or')}"
    )


def all_in_words(conditions: Sequence[Condition]) -> str:
    """Conditions that all have to be met."""
    return joined([in_words(condition) for condition in conditions], "and")


def joined(parts: Sequence[str], word: str) -> str:
    """a, b and c."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"
