from collections.abc import Iterable

from chatnation import EventBatch, Plugin, Stage, hookimpl


async def shorten_titles(batch: EventBatch) -> None:
    for event in batch:
        if event.page_title:
            event.page_title = event.page_title.removesuffix(" | Example Ltd")


class TitlesPlugin(Plugin):
    """Short titles"""

    name = "titles"

    @hookimpl
    def register_stages(self) -> Iterable[Stage]:
        return [Stage("shorten_titles", shorten_titles)]
