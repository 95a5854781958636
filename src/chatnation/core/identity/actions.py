"""What an operator can do about who is who: split what was joined wrongly, and take a split back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.errors import ChatnationError, NotFound
from chatnation.core.identity.recomputing import (
    Change,
    log_changes,
    neighbourhood,
    recompute,
)
from chatnation.core.identity.resolution import Source, cut
from chatnation.core.storage.locks import lock_identity
from chatnation.core.storage.models import identity_links, identity_log
from chatnation.core.storage.storage import raw

Pair = tuple[UUID, UUID]


class NotJoined(ChatnationError):
    """The two ids are not one person, so there is nothing to split."""


async def split(connection: AsyncConnection, tenant_id: int, x: UUID, y: UUID, *, by: str) -> list[Pair]:
    """Make leafs `x` and `y` two persons, by removing the latest evidence that joined them.

    The removed links stay out when the same evidence comes again. Gives them, as pairs of leafs; `by` goes into the
    log. Raises NotJoined.
    """
    asyncpg = await raw(connection)
    await lock_identity(asyncpg, tenant_id)
    found = await neighbourhood(asyncpg, tenant_id, [x, y])
    if x not in found.kinds or y not in found.kinds or found.persons[x] != found.persons[y] or x == y:
        raise NotJoined("These two ids are not one person.")
    removed = sorted({(link.a, link.b) for link in cut(found.kinds, found.links, x, y)})
    await _set_removed(connection, tenant_id, removed, removed=True)
    changes = await recompute(asyncpg, tenant_id, {leaf for pair in removed for leaf in pair} | {x, y})
    left = sorted(leaf for change in changes for leaf in change.leafs)
    split_off = Change("split", found.persons[x], tuple(left), {"removed": removed, "by": by})
    await log_changes(asyncpg, tenant_id, [split_off])
    return removed


async def undo_merge(connection: AsyncConnection, tenant_id: int, log_id: int, *, by: str) -> list[Pair]:
    """Split what the merge `log_id` joined. Gives the removed links; raises NotFound, or NotJoined if it is undone."""
    cause = (await _log_entry(connection, tenant_id, log_id, "merge"))["cause"]
    return await split(connection, tenant_id, UUID(cause["a"]), UUID(cause["b"]), by=by)


async def undo_split(connection: AsyncConnection, tenant_id: int, log_id: int, *, by: str) -> list[Pair]:
    """Let the links count again that the split `log_id` removed. Gives them; raises NotFound."""
    detail = await _log_entry(connection, tenant_id, log_id, "split")
    pairs = [(UUID(a), UUID(b)) for a, b in detail["removed"]]
    await lock_identity(await raw(connection), tenant_id)
    await _set_removed(connection, tenant_id, pairs, removed=False)
    await _recompute_by_hand(connection, tenant_id, pairs, by)
    return pairs


async def join(connection: AsyncConnection, tenant_id: int, x: UUID, y: UUID, *, at: datetime, by: str) -> None:
    """Say that leafs `x` and `y` are one person, as an alias would: the way to settle a merge that was refused.

    Takes back a split of the same two. Raises NotFound when either was never seen.
    """
    asyncpg = await raw(connection)
    await lock_identity(asyncpg, tenant_id)
    if x == y or not {x, y} <= (await neighbourhood(asyncpg, tenant_id, [x, y])).kinds.keys():
        raise NotFound("There are no such two ids.")
    pair = min(x, y), max(x, y)
    await connection.execute(
        insert(identity_links)
        .values(tenant_id=tenant_id, a=pair[0], b=pair[1], source=Source.ALIAS, first_seen=at)
        .on_conflict_do_nothing()
    )
    await _set_removed(connection, tenant_id, [pair], removed=False)
    await _recompute_by_hand(connection, tenant_id, [pair], by)


async def _recompute_by_hand(connection: AsyncConnection, tenant_id: int, pairs: Sequence[Pair], by: str) -> None:
    asyncpg = await raw(connection)
    changes = await recompute(asyncpg, tenant_id, {leaf for pair in pairs for leaf in pair})
    by_hand = [replace(change, detail={**change.detail, "by": by}) for change in changes]
    await log_changes(asyncpg, tenant_id, by_hand)


async def _set_removed(connection: AsyncConnection, tenant_id: int, pairs: Sequence[Pair], *, removed: bool) -> None:
    """For every source that says the pair belongs together; `IdentityStore` keeps later ones out as well."""
    await connection.execute(
        update(identity_links)
        .where(identity_links.c.tenant_id == tenant_id, tuple_(identity_links.c.a, identity_links.c.b).in_(list(pairs)))
        .values(removed_at=func.now() if removed else None)
    )


async def _log_entry(connection: AsyncConnection, tenant_id: int, log_id: int, action: str) -> dict[str, Any]:
    detail = await connection.scalar(
        select(identity_log.c.detail).where(
            identity_log.c.tenant_id == tenant_id, identity_log.c.id == log_id, identity_log.c.action == action
        )
    )
    if detail is None:
        raise NotFound(f"There is no such {action}.")
    return cast("dict[str, Any]", detail)
