"""Errors that the product raises on purpose. The text of each is meant for the person who reads it."""

from __future__ import annotations


class ChatnationError(Exception):
    """Base of every error the product raises on purpose."""


class ConfigurationError(ChatnationError):
    """A setting is missing, malformed or contradicts another one."""


class PluginError(ChatnationError):
    """A plugin breaks a rule of the plugin system; `plugin` names it."""

    def __init__(self, plugin: str, message: str) -> None:
        super().__init__(f"{plugin}: {message}")
        self.plugin = plugin
        self.message = message


class QueueUnavailable(ChatnationError):
    """The event stream cannot take events now; a client should retry after `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Problem(ChatnationError):
    """An HTTP error with a stable code, rendered as RFC 9457 problem details.

    `status` is the HTTP status, `code` a stable snake_case word that clients may test, `detail` a sentence that
    says what to do, `headers` go out with the response (for example Retry-After).
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        errors: list[dict[str, object]] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}
        self.errors = errors or []


class NotFound(Problem):
    """404. Also the answer for a thing of another tenant, so that its existence is not confirmed."""

    def __init__(self, detail: str = "There is no such thing, or it is not yours.") -> None:
        super().__init__(404, "not_found", detail)
