"""The stage that fills the device columns."""

from __future__ import annotations

from collections.abc import Iterable

from chatnation import EventBatch
from chatnation.plugins.useragent.parsing import parse

CHANNELS = frozenset({"web", "mobile"})


class DeviceResolver:
    """Fills device, operating system, browser and `is_bot` of web and mobile events that carry a user agent."""

    def __init__(self, bot_words: Iterable[str] = ()) -> None:
        self._bot_words = tuple(word.lower() for word in bot_words)

    async def __call__(self, batch: EventBatch) -> None:
        for event in batch:
            user_agent = event.user_agent
            if not user_agent or event.channel_type not in CHANNELS:
                continue
            device = parse(user_agent)
            event.device_type = device.device_type
            event.os_name, event.os_version = device.os_name, device.os_version
            event.browser_name, event.browser_version = device.browser_name, device.browser_version
            event.is_bot = event.is_bot or device.is_bot or self._is_listed(user_agent)

    def _is_listed(self, user_agent: str) -> bool:
        if not self._bot_words:
            return False
        lowered = user_agent.lower()
        return any(word in lowered for word in self._bot_words)
