"""The manifest of the useragent plugin."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, Field

from chatnation import Plugin, Stage, hookimpl
from chatnation.plugins.useragent.stages import DeviceResolver


class UserAgentSettings(BaseModel):
    """Settings of the useragent plugin."""

    bot_words: tuple[str, ...] = Field(
        (), description="More words, in lower case, that mark a user agent as a bot when it contains one of them."
    )


class UseragentPlugin(Plugin):
    """Devices and browsers

    Reads device, operating system and browser from the user agent string of web and mobile events, and flags bots.
    Events of bots are kept: reports leave them out unless asked.
    """

    name = "useragent"
    Settings = UserAgentSettings
    settings: UserAgentSettings

    @hookimpl
    def register_stages(self) -> Iterable[Stage]:
        return [Stage("resolve_device", DeviceResolver(self.settings.bot_words))]
