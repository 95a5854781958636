"""The manifest of the csat plugin."""

from __future__ import annotations

from chatnation import App, Plugin, hookimpl


class CsatPlugin(Plugin):
    """Customer satisfaction

    The scores and comments that people give, over time and by journey.
    """

    name = "csat"
    url_prefix = "csat-analytics"
    requires = ("dashboard",)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app
