"""The address that an instance listens on, and how it is written for people."""

from __future__ import annotations

import errno
import socket
import time

from chatnation.core.errors import ConfigurationError

_BACKLOG = 4096
_PATIENCE_SECONDS = 2.0


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 picks a free one. Raises ConfigurationError when the address cannot be had.

    Waits a moment for a predecessor that was killed, whose children still let go of the port.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror:
        raise ConfigurationError(f"There is no address {host} on this machine; set --host to one.") from None
    family, kind, _, _, address = found[0]
    listening = socket.socket(family, kind)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            listening.bind(address)
            listening.listen(_BACKLOG)
            listening.setblocking(False)
            return listening
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            listening.close()
            raise _refused(host, port, error) from error


def url_of(listening: socket.socket, host: str) -> str:
    """The address to open in a browser on this machine."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{listening.getsockname()[1]}"


def _refused(host: str, port: int, error: OSError) -> ConfigurationError:
    if error.errno == errno.EADDRINUSE:
        return ConfigurationError(
            f"Port {port} of {host} is taken by another program. Stop that, or choose another port: "
            f"chatnation serve --port {port + 1}"
        )
    if error.errno == errno.EACCES:
        return ConfigurationError(f"Port {port} may not be opened by this account. Choose one above 1023 with --port.")
    return ConfigurationError(f"{host}:{port} cannot be listened on: {error.strerror}.")
