"""What people see of a browser or program: "Firefox on Windows"."""

from __future__ import annotations

from functools import lru_cache

from user_agents.parsers import parse

_MAX_LENGTH = 500


@lru_cache(maxsize=4_096)
def device_name(user_agent: str | None) -> str:
    """Browser and system of a user agent string, in a few words."""
    if not user_agent:
        return "Unknown program"
    parsed = parse(user_agent[:_MAX_LENGTH])
    browser, system = parsed.browser.family, parsed.os.family
    if browser in {"", "Other"}:
        return user_agent.partition(" ")[0].partition("/")[0][:40]
    return browser if system in {"", "Other"} else f"{browser} on {system}"
