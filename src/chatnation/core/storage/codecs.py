"""How values of two types travel to and from PostgreSQL on every connection of ours.

`jsonb` parameters may be bytes, so that a client's properties are never decoded on their way in. Addresses (`inet`) may
be text: the driver would make an object of every one of them.
"""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address, ip_interface
from socket import AF_INET, AF_INET6, inet_pton
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import asyncpg

_JSONB_VERSION = b"\x01"
_FAMILIES = {4: 2, 6: 3}
_SOCKET_FAMILIES = {4: AF_INET, 6: AF_INET6}
_ADDRESS_AT = 4
"""Before it: family, length of the network's prefix in bits, whether it is a network, length of the address."""

Address = IPv4Address | IPv6Address | IPv4Interface | IPv6Interface


async def set_codecs(connection: asyncpg.Connection[Any]) -> None:
    """Teach a connection the types of this module."""
    for name, encoder, decoder in (("jsonb", encode_json, _decode_json), ("inet", encode_address, _decode_address)):
        await connection.set_type_codec(name, schema="pg_catalog", format="binary", encoder=encoder, decoder=decoder)


def encode_json(value: str | bytes) -> bytes:
    """JSON text as a `jsonb` parameter."""
    return _JSONB_VERSION + (value if isinstance(value, bytes) else value.encode())


def _decode_json(value: bytes) -> object:
    return msgspec.json.decode(memoryview(value)[1:])


def encode_address(value: str | Address) -> bytes:
    """An address or network as an `inet` parameter. Raises ValueError."""
    if isinstance(value, str):
        version = 6 if ":" in value else 4
        with suppress(OSError):
            packed = inet_pton(_SOCKET_FAMILIES[version], value)
            return bytes((_FAMILIES[version], 8 * len(packed), 0, len(packed))) + packed
    address = ip_interface(value)
    packed = address.packed
    return bytes((_FAMILIES[address.version], address.network.prefixlen, 0, len(packed))) + packed


def _decode_address(value: bytes) -> Address:
    prefix, packed = value[1], value[_ADDRESS_AT:]
    return ip_address(packed) if prefix == 8 * len(packed) else ip_interface((packed, prefix))
