"""The manifest of the funnels plugin."""

from __future__ import annotations

from chatnation import App, Plugin, hookimpl


class FunnelsPlugin(Plugin):
    """Funnels

    How many people go through the steps of a journey, where they drop off, how long it takes, and who they are.
    """

    name = "funnels"
    url_prefix = "funnel"
    requires = ("dashboard",)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app
