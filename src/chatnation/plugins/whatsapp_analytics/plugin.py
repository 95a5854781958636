"""The manifest of the whatsapp_analytics plugin."""

from __future__ import annotations

from chatnation import App, Plugin, hookimpl


class WhatsappAnalyticsPlugin(Plugin):
    """WhatsApp analytics

    Messages, contacts, response times and what becomes of messages on WhatsApp.
    """

    name = "whatsapp_analytics"
    url_prefix = "whatsapp-analytics"
    requires = ("dashboard",)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app
