"""Whose word is believed about a client's address."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from chatnation.core.web.proxies import client_address, is_trusted

OURS = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "<script>", "10.0.0.1"),
        ("not an address", "198.51.100.1", "not an address"),
    ],
)
def test_the_last_hop_that_is_not_ours_is_the_client(peer: str, forwarded: str, client: str) -> None:
    assert client_address(peer, forwarded, OURS) == client


def test_nobody_is_trusted_by_default() -> None:
    assert not is_trusted("127.0.0.1", ())
    assert client_address("127.0.0.1", "198.51.100.1", ()) == "127.0.0.1"
