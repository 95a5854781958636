from __future__ import annotations

import pytest

from chatnation.core.auth.names import InvalidName
from chatnation.core.auth.origins import AllowedOrigins, checked_origin


@pytest.mark.parametrize(
    ("pattern", "origin", "allowed"),
    [
        ("*", "https://anything.example", True),
        ("*", "null", True),
        ("https://tax.example.org", "https://tax.example.org", True),
        ("https://tax.example.org", "http://tax.example.org", False),
        ("https://tax.example.org", "https://tax.example.org:8443", False),
        ("https://tax.example.org", "https://tax.example.org.evil.example", False),
        ("https://*.example.org", "https://a.example.org", True),
        ("https://*.example.org", "https://a.b.example.org", True),
        ("https://*.example.org", "https://example.org", False),
        ("https://*.example.org", "https://.example.org", False),
        ("https://*.example.org", "https://evilexample.org", False),
        ("https://*.example.org", "http://a.example.org", False),
        ("https://*.example.org:8443", "https://a.example.org:8443", True),
        ("http://localhost:3000", "http://localhost:3000", True),
        ("https://tax.example.org", "null", False),
    ],
)
def test_an_origin_is_allowed_when_a_pattern_means_it(pattern: str, origin: str, allowed: bool) -> None:
    assert AllowedOrigins.of([checked_origin(pattern)]).allows(origin) is allowed


def test_an_empty_list_allows_nothing() -> None:
    assert not AllowedOrigins.of([]).allows("https://a.example")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("HTTPS://Tax.Example.org/", "https://tax.example.org"),
        (" https://a.example:443 ", "https://a.example"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_origins_are_kept_as_browsers_send_them(typed: str, kept: str) -> None:
    assert checked_origin(typed) == kept


@pytest.mark.parametrize(
    "typed", ["", "example.org", "https://", "https://a.example/path", "https://a.*.example", "https://*"]
)
def test_what_no_browser_sends_is_refused(typed: str) -> None:
    with pytest.raises(InvalidName, match="not an origin"):
        checked_origin(typed)
