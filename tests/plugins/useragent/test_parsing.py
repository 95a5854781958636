"""What the useragent plugin reads from strings that real clients send."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from chatnation import Event, EventBatch
from chatnation.plugins.useragent.parsing import parse
from chatnation.plugins.useragent.stages import DeviceResolver

ANDROID = (
    "Mozilla/5.0 (Linux; Android 13; SM-A135F) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Mobile Safari/537.36"
)
IPAD = (
    "Mozilla/5.0 (iPad; CPU OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/16.5 Mobile/15E148 Safari/604.1"
)
WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0"
)


@pytest.mark.parametrize(
    ("user_agent", "device", "system", "browser", "bot"),
    [
        (ANDROID, "mobile", "Android", "Chrome Mobile", False),
        (IPAD, "tablet", "iOS", "Mobile Safari", False),
        (WINDOWS, "desktop", "Windows", "Edge", False),
        (
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "desktop",
            None,
            "Googlebot",
            True,
        ),
        (WINDOWS.replace("Chrome/", "HeadlessChrome/"), "desktop", "Windows", "Edge", True),
        ("curl/8.5.0", "desktop", None, "curl", True),
        ("something never seen", "desktop", None, None, False),
    ],
)
def test_device_system_browser_and_bot_flag_are_read(
    user_agent: str, device: str, system: str | None, browser: str | None, bot: bool
) -> None:
    parsed = parse(user_agent)
    assert (parsed.device_type, parsed.os_name, parsed.browser_name, parsed.is_bot) == (device, system, browser, bot)


def test_a_very_long_string_is_cut_before_it_is_parsed() -> None:
    assert parse("x" * 100_000).device_type == "desktop"


async def test_only_web_and_mobile_events_get_a_device() -> None:
    batch = EventBatch(
        1, [_event("web", ANDROID), _event("mobile", ANDROID), _event("whatsapp", ANDROID), _event("web", "")]
    )
    await DeviceResolver()(batch)
    assert [event.device_type for event in batch] == ["mobile", "mobile", None, None]


async def test_an_operator_can_name_more_bots() -> None:
    batch = EventBatch(1, [_event("web", "Uptime-Checker 3"), _event("web", ANDROID)])
    await DeviceResolver(("Uptime",))(batch)
    assert [event.is_bot for event in batch] == [True, False]


def _event(channel: str, user_agent: str) -> Event:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    return Event(
        tenant_id=1,
        project_id=1,
        message_id=UUID(int=1),
        event_name="page_view",
        event_type="page",
        timestamp=now,
        received_at=now,
        channel_type=channel,
        user_agent=user_agent,
    )
