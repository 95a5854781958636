"""Pages from the templates of plugins.

Each plugin keeps its templates under `templates/<plugin>/`, so names never clash. Three have no folder, `layout.html`,
`login.html` and `error.html`: the last plugin that brings one replaces the plain page of the core. Pages extend
`layout.html` and fill its blocks `title`, `actions` and `content`.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chatnation.core.plugin.base import Plugin
from chatnation.core.web.filters import add_filters
from chatnation.core.web.notices import COOKIE as NOTICE_COOKIE

CORE_TEMPLATES = Path(__file__).parent / "templates"

Values = Mapping[str, Any]
Frame = Callable[[Request], Values]
"""The values that every page gets, from its request."""


def plugin_folder(plugin: Plugin, name: str) -> Path | None:
    """The folder `name` beside the plugin's module, where it exists."""
    try:
        folder = Path(inspect.getfile(type(plugin))).parent / name
    except TypeError:
        return None  # Defined in a console or a test; it has no file.
    return folder if folder.is_dir() else None


class Templates:
    """One Jinja environment for all plugins: autoescaped, strict about names, able to await."""

    def __init__(self, folders: Iterable[Path], globals_: Values) -> None:
        search = [CORE_TEMPLATES, *folders]
        self.environment = jinja2.Environment(
            loader=jinja2.ChoiceLoader([jinja2.FileSystemLoader(folder) for folder in reversed(search)]),
            autoescape=True,
            enable_async=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals.update(globals_)
        add_filters(self.environment)

    async def render(self, name: str, values: Values) -> str:
        """The text of the template `name`."""
        return await self.environment.get_template(name).render_async(values)


class Rendered(Response):
    """A page that is drawn when it is sent, because its slots have to be awaited.

    `template` and `values` can be looked at before.
    """

    def __init__(
        self, draw: Callable[[Rendered], Awaitable[str]], template: str, values: Values, status: int = 200
    ) -> None:
        super().__init__(status_code=status, media_type="text/html")
        self.template = template
        self.values = values
        self._draw = draw
        self._drawn = False

    async def prepare(self) -> None:
        """Draw the page now, for a caller that wants to hear when that fails."""
        self.body = self.render(await self._draw(self))
        self.headers["Content-Length"] = str(len(self.body))
        self._drawn = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._drawn:
            await self.prepare()
        await super().__call__(scope, receive, send)


class Renderer:
    """`request.state.render`: makes the page for one request.

    `render(template, status=200, **values)` returns a response; the values of the frame are there too.
    """

    def __init__(self, templates: Templates, frame: Frame, request: Request) -> None:
        self._templates = templates
        self._frame = frame
        self._request = request

    def __call__(self, template: str, /, *, status: int = 200, **values: Any) -> Rendered:
        return Rendered(self._draw, template, values, status)

    def navigation(self) -> list[Any]:
        """The menu of whoever asks, as groups with `entries`."""
        return list(self._frame(self._request)["navigation"])

    async def _draw(self, page: Rendered) -> str:
        frame = self._frame(self._request)
        text = await self._templates.render(page.template, {**frame, **page.values})
        page.headers.update(frame["headers"])
        if frame["notice"]:
            page.delete_cookie(NOTICE_COOKIE)
        frame["csrf"].remember(page)
        return text
