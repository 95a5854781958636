"""Texts that are ids."""

from __future__ import annotations

from uuid import UUID


def uuid_of(text: str) -> UUID | None:
    """The UUID that a text is in its usual form, None for any other text."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text.lower() else None
