"""The manifest of the ai_analytics plugin."""

from __future__ import annotations

from chatnation import App, Plugin, hookimpl


class AiAnalyticsPlugin(Plugin):
    """AI and intents

    What people want of the AI agent, how sure, quick and costly it is, and how often it needs a human.
    """

    name = "ai_analytics"
    url_prefix = "ai-analytics"
    requires = ("dashboard",)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app
