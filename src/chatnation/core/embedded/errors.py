"""What can go wrong with the embedded servers, in sentences for the operator."""

from __future__ import annotations

from chatnation.core.errors import ChatnationError


class EmbeddedError(ChatnationError):
    """An embedded server cannot be started, joined or stopped. The text says why and what to do."""
