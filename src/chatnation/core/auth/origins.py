"""Which websites may send events with a key."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from chatnation.core.auth.names import InvalidName

_PATTERN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<wild>\*\.)?(?P<host>[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?P<port>:\d{1,5})?"
)
ANY = "*"


@dataclass(frozen=True, slots=True)
class AllowedOrigins:
    """A list of origins, made to be asked per request.

    A pattern is an origin as browsers send it (`https://tax.example.org`, `http://localhost:3000`), `https://*.example.org`
    for every subdomain at any depth but not the domain itself, or `*`.
    """

    any: bool
    exact: frozenset[str]
    below: tuple[tuple[str, str], ...]
    """Beginning and end of the origins that a wildcard stands for, for example `https://` and `.example.org`."""

    @classmethod
    def of(cls, patterns: Iterable[str]) -> AllowedOrigins:
        """From checked patterns."""
        patterns = frozenset(patterns)
        wild = (pattern.partition("*") for pattern in patterns if "://*." in pattern)
        return cls(
            any=ANY in patterns,
            exact=frozenset(pattern for pattern in patterns if "*" not in pattern),
            below=tuple(sorted((start, end) for start, _, end in wild)),
        )

    def allows(self, origin: str) -> bool:
        """Whether a request with the header `Origin: <origin>` is welcome."""
        if self.any or origin in self.exact:
            return True
        return any(
            origin.startswith(start) and origin.endswith(end) and len(origin) > len(start) + len(end)
            for start, end in self.below
        )


def checked_origin(text: str) -> str:
    """`text` in small letters and without a slash at its end, if it is a pattern. Raises InvalidName otherwise."""
    pattern = text.strip().lower().rstrip("/")
    if pattern != ANY and not _PATTERN.fullmatch(pattern):
        raise InvalidName(
            f"“{text}” is not an origin. Write https://www.example.org, https://*.example.org (its subdomains) or *."
        )
    default_port = {"https": ":443", "http": ":80"}.get(pattern.partition("://")[0])
    return pattern.removesuffix(default_port) if default_port else pattern
