"""Ids that name nobody: what broken clients send when they have no id."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from chatnation.core.ids import client_uuid

WORDS = frozenset(
    {
        "",
        "-",
        "-1",
        "0",
        "[]",
        "{}",
        "(none)",
        "(not set)",
        "(null)",
        "<null>",
        "[object object]",
        "[object undefined]",
        "anon",
        "anonymous",
        "anonymous_id",
        "anonymousid",
        "default",
        "distinct_id",
        "distinctid",
        "empty",
        "false",
        "guest",
        "id",
        "n/a",
        "na",
        "nan",
        "nil",
        "none",
        "not set",
        "not_authenticated",
        "null",
        "true",
        "undefined",
        "unknown",
        "user",
        "user_id",
        "userid",
        "visitor",
    }
)
"""In lower case. Joining everybody who sends one of these would make one person of thousands."""

_NOTHING = frozenset("0-")
_NIL = UUID(int=0)
_MAX = UUID(int=(1 << 128) - 1)


def is_bad_id(text: str) -> bool:
    """Whether `text` counts as no id: a word such as ``null`` or ``guest`` in any case, quotes aside, or only zeros."""
    bare = text.strip().strip("\"'").strip().lower()
    return bare in WORDS or _NOTHING.issuperset(bare) or bare == "ffffffff-ffff-ffff-ffff-ffffffffffff"


def is_bad_anonymous_id(tenant_id: int, value: UUID) -> bool:
    """Whether `value` is a nil or max UUID, or what `client_uuid` makes of one of the words."""
    return value in _bad_uuids(tenant_id)


@lru_cache(maxsize=1_000)
def _bad_uuids(tenant_id: int) -> frozenset[UUID]:
    spellings = {spelling for word in WORDS for spelling in (word, word.upper(), word.capitalize(), word.title())}
    spellings |= {"[object Object]", "NaN", "(Not Set)"}
    return frozenset({_NIL, _MAX} | {client_uuid(tenant_id, spelling) for spelling in spellings})
