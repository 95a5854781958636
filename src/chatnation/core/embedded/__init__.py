"""Private PostgreSQL and Valkey servers, for an instance that was given no addresses of others."""

from chatnation.core.embedded.errors import EmbeddedError
from chatnation.core.embedded.servers import EmbeddedServers, ServerUrls
from chatnation.core.embedded.status import EmbeddedStatus, ServerStatus

__all__ = ["EmbeddedError", "EmbeddedServers", "EmbeddedStatus", "ServerStatus", "ServerUrls"]
