from collections.abc import Iterable

from chatnation import Plugin, Retention, hookimpl


class PagesPlugin(Plugin):
    """Views by page"""

    name = "pages"

    @hookimpl
    def register_retention(self) -> Iterable[Retention]:
        return [Retention("pages.visits", "visited_at", days=90)]
