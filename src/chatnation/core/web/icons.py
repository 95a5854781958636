"""Outline icons, drawn into the page so that they take the colour of the text around them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup

FILE = "icons.txt"
"""Each plugin may bring icons in `static/icons.txt`: a name, a tab, the content of a 24 by 24 SVG, one a line."""

_FRAME = Markup(
    '<svg class="icon{extra}" width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
    ' stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">'
    "{content}</svg>"
)
_UNKNOWN = '<circle cx="12" cy="12" r="9"/>'


class Icons:
    """Icons by name. There are thousands and a product uses dozens, so each is looked up when it is first used."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._files = [folder / FILE for folder in folders if (folder / FILE).is_file()]
        self._content = lru_cache(maxsize=512)(self._find)

    def __call__(self, name: str, extra: str = "") -> Markup:
        """The icon as SVG; `extra` are more classes. A name that nobody brought is a circle."""
        return _FRAME.format(extra=f" {extra}" if extra else "", content=Markup(self._content(name)))

    def _find(self, name: str) -> str:
        wanted = f"{name}\t"
        for file in self._files:
            with file.open(encoding="utf-8") as lines:
                for line in lines:
                    if line.startswith(wanted):
                        return line.removeprefix(wanted).rstrip("\n")
        return _UNKNOWN
