"""The manifest of the trends plugin."""

from __future__ import annotations

from chatnation import App, Plugin, hookimpl


class TrendsPlugin(Plugin):
    """Trends

    How sessions, conversions, people and the length of visits develop over time.
    """

    name = "trends"
    requires = ("dashboard",)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app
