"""Keys as actors of the API."""

from __future__ import annotations

from chatnation.core.auth.key_cache import KeyCache
from chatnation.core.auth.keys import KeyGrant, KeyType
from chatnation.core.context import Actor

READ_PERMISSIONS = frozenset({"analytics.view", "analytics.export"})
"""What a read key may do that was made without scopes."""


async def recognise_key(cache: KeyCache, secret: str) -> Actor | None:
    """Who asks with this key. None also for write keys: they are public, so they open nothing but the collector."""
    grant = await cache.find(secret)
    return None if grant is None else actor_of(grant)


def actor_of(grant: KeyGrant) -> Actor | None:
    """The actor that a valid key stands for, if it opens anything besides the collector."""
    if grant.type is KeyType.WRITE:
        return None
    permissions = grant.scopes or (READ_PERMISSIONS if grant.type is KeyType.READ else frozenset())
    return Actor(tenant=grant.tenant, permissions=permissions, key_id=grant.key_id, role=grant.type)
