"""The plugins of the instance and how each is."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from chatnation import App, Page

TONES = {"active": "green", "degraded": "yellow", "failed": "red", "blocked": "orange", "disabled": "secondary"}


class InstancePages:
    """`/settings/plugins`; states are changed in the environment or on the command line."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        return [Page("//settings/plugins", self.plugins, "instance.view")]

    async def plugins(self, request: Request) -> Response:
        app = self._app()
        enabled = app.enabled(request.state.actor.tenant.id)
        plugins = [
            {
                "name": record.name,
                "title": record.plugin_class.title() if record.plugin_class else record.name,
                "description": record.plugin_class.description() if record.plugin_class else "",
                "version": record.plugin_class.version if record.plugin_class else "",
                "state": str(record.state),
                "tone": TONES[record.state],
                "reason": record.reason,
                "off_here": record.state == "active" and record.name not in enabled,
            }
            for record in app.inventory
        ]
        response: Response = request.state.render("dashboard/plugins.html", plugins=plugins)
        return response
