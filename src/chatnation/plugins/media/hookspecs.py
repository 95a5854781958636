"""What the media plugin asks of others."""

from __future__ import annotations

from collections.abc import Iterable

from chatnation import hookspec
from chatnation.plugins.media.api import StoreDriver


@hookspec
def media_register_stores() -> Iterable[StoreDriver]:  # type: ignore[empty-body]
    """Bring a store that files can be kept in.

    When: once, when the media plugin starts.
    Return: a list of `StoreDriver`; the operator chooses one by its name.
    Failure: the plugin's stores are missing; where one of them is chosen, the media plugin does not start.
    """
