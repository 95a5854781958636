"""Who really called, when a reverse proxy stands in front."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from chatnation.core.web.routing import AtOnce

Networks = Sequence[IPv4Network | IPv6Network]


def is_trusted(host: str, networks: Networks) -> bool:
    """Whether the address `host` lies in one of `networks`; text that is no address does not."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address.version == network.version and address in network for network in networks)


def client_address(peer: str, forwarded_for: str, networks: Networks) -> str:
    """The address of the client: the last one in `X-Forwarded-For` that is not a trusted proxy of ours.

    The header is believed only when `peer`, the other end of the connection, is trusted itself: whoever connects
    directly could write anything into it. A hop that is not an address ends the walk.
    """
    if not is_trusted(peer, networks):
        return peer
    client = peer
    for hop in reversed([part.strip() for part in forwarded_for.split(",") if part.strip()]):
        try:
            ip_address(hop)
        except ValueError:
            break
        client = hop
        if not is_trusted(hop, networks):
            break
    return client


class TrustedProxies:
    """Rewrites a connection's client address, scheme and host from the headers of a trusted proxy, and of no other."""

    def __init__(self, app: ASGIApp, networks: Networks) -> None:
        self.app = app
        self.networks = tuple(networks)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(self.resolved(scope), receive, send)

    def resolved(self, scope: Scope) -> Scope:
        """The scope as the client would have made it without the proxies."""
        if self.networks and scope.get("client"):
            peer, port = scope["client"]
            if is_trusted(peer, self.networks):
                return self._forwarded(dict(scope), peer, port)
        return scope

    def at_once(self, answer: AtOnce) -> AtOnce:
        """`answer` behind the proxies."""
        return lambda scope, body, respond: answer(self.resolved(scope), body, respond)

    def _forwarded(self, scope: Scope, peer: str, port: int) -> Scope:
        headers = Headers(scope=scope)
        scope["client"] = (client_address(peer, ",".join(headers.getlist("x-forwarded-for")), self.networks), port)
        scheme = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
        if scheme in {"http", "https"}:
            scope["scheme"] = scheme
        if host := headers.get("x-forwarded-host", "").rpartition(",")[2].strip():
            kept = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope["headers"] = [*kept, (b"host", host.encode("latin-1"))]
        return scope
