"""The manifest of the insights plugin."""

from __future__ import annotations

from chatnation import App, Plugin, hookimpl


class InsightsPlugin(Plugin):
    """Insights

    Any question about events, built on a page, seen as a chart and a table, and shared by its link.
    """

    name = "insights"
    requires = ("dashboard",)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app
