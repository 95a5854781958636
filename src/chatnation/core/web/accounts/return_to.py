"""Where somebody wanted to go before they had to sign in."""

from __future__ import annotations

from urllib.parse import urlsplit

HOME = "/"
_LONGEST = 2_000


def inside(target: str | None) -> str:
    """`target` when it is a path of ours, else the first page: a link must not lead to another site after signing in.

    Browsers read a backslash as a slash and drop control characters, so neither may be in it.
    """
    if not target or len(target) > _LONGEST or not target.startswith("/") or target.startswith("//"):
        return HOME
    if "\\" in target or any(ord(character) < 32 for character in target) or urlsplit(target).netloc:
        return HOME
    return target
