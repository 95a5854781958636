"""What a user agent string says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from user_agents.parsers import UserAgent
from user_agents.parsers import parse as parse_user_agent

MAX_LENGTH = 1_000
"""Longer strings are cut before parsing; real ones stay under 500 characters."""

BOT_WORDS = (
    "bot/",
    "crawler",
    "curl/",
    "go-http-client",
    "headlesschrome",
    "httpx/",
    "lighthouse",
    "node-fetch",
    "okhttp",
    "phantomjs",
    "playwright",
    "puppeteer",
    "python-requests",
    "scrapy",
    "selenium",
    "spider",
    "wget/",
)
"""Programs that the parser's own list does not call bots, and that no taxpayer reads a page with."""


@dataclass(frozen=True, slots=True)
class Device:
    """A parsed user agent. `device_type` is mobile, tablet or desktop; unknown names are None."""

    device_type: str
    os_name: str | None
    os_version: str | None
    browser_name: str | None
    browser_version: str | None
    is_bot: bool


@lru_cache(maxsize=65_536)
def parse(user_agent: str) -> Device:
    """The `Device` of a user agent string; anything that is no phone or tablet counts as a desktop."""
    parsed = parse_user_agent(user_agent[:MAX_LENGTH])
    lowered = user_agent.lower()
    return Device(
        device_type=_device_type(parsed),
        os_name=_known(parsed.os.family, 50),
        os_version=_known(parsed.os.version_string, 50),
        browser_name=_known(parsed.browser.family, 50),
        browser_version=_known(parsed.browser.version_string, 50),
        is_bot=bool(parsed.is_bot) or any(word in lowered for word in BOT_WORDS),
    )


def _device_type(parsed: UserAgent) -> str:
    if parsed.is_tablet:
        return "tablet"
    return "mobile" if parsed.is_mobile else "desktop"


def _known(name: str, limit: int) -> str | None:
    return name[:limit] if name and name != "Other" else None
