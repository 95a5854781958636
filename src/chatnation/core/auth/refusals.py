"""Why something about people was refused; `core.web.problems` gives each its HTTP status."""

from __future__ import annotations

from chatnation.core.errors import ChatnationError


class NotAllowed(ChatnationError):
    """The actor may not do this to this person or role."""


class Impossible(ChatnationError):
    """It would leave something broken, or is the case already."""


class LastAdmin(Impossible):
    """Nobody would be left who may do everything."""


class BadLink(ChatnationError):
    """The token of a link is unknown, used, revoked or too old; which of them is told to nobody."""


class SignInInstead(ChatnationError):
    """There is a user of that address already, who shows who they are by signing in."""


class WrongPassword(ChatnationError):
    """The current password was not given rightly."""
