"""What every number means, on one page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from chatnation import App, Metric, Page


@dataclass(frozen=True, slots=True)
class Section:
    """The numbers of one plugin, under its title."""

    plugin: str
    title: str
    metrics: list[Metric]


class DefinitionPages:
    """`/definitions`: the metrics of the plugins that run for the tenant; each can be linked to by its name."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        return [Page("//definitions", self.show, "analytics.view")]

    async def show(self, request: Request) -> Response:
        app = self._app()
        enabled = app.enabled(request.state.actor.tenant.id)
        sections: dict[str, Section] = {}
        for entry in app.resources.metrics:
            if entry.plugin in enabled:
                record = app.inventory[entry.plugin]
                title = record.plugin_class.title() if record.plugin_class else entry.plugin
                sections.setdefault(entry.plugin, Section(entry.plugin, title, [])).metrics.append(entry.item)
        response: Response = request.state.render(
            "dashboard/definitions.html", sections=sorted(sections.values(), key=lambda section: section.title)
        )
        return response
