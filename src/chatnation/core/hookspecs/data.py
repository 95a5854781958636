"""Summaries, export and erasure of what a plugin keeps."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.archivables import Archivable
from chatnation.core.plugin.base import hookspec
from chatnation.core.sealed_columns import SealedColumn


@hookspec
def register_sealed_columns() -> Iterable[SealedColumn]:  # type: ignore[empty-body]
    """Say which columns of the plugin hold what `Vault.seal` made.

    When: once, at composition; used by `chatnation secrets`, which opens and seals them again.
    Return: a list of `SealedColumn`.
    Failure: the plugin is failed.
    """


@hookspec
def register_archivables() -> Iterable[Archivable]:  # type: ignore[empty-body]
    """Name kinds of things that can be deleted for good, with a copy in the archive of the danger zone.

    When: once, at composition.
    Return: a list of `Archivable`.
    Failure: the plugin is failed; where one raises later, nothing is deleted.
    """


@hookspec
async def summarize_tenant(connection: AsyncConnection, tenant_id: int) -> dict[str, int]:  # type: ignore[empty-body]
    """Count what the plugin keeps for a tenant.

    When: before an erasure is confirmed.
    Return: counts by kind, for example `{"sessions": 1200}`.
    Failure: the summary says that it could not be counted.
    """


@hookspec
async def erase_tenant(connection: AsyncConnection, tenant_id: int) -> int:  # type: ignore[empty-body]
    """Delete everything of a tenant.

    When: inside the transaction that erases it.
    Return: how many rows were deleted.
    Failure: the whole transaction rolls back.
    """


@hookspec
async def erase_person(connection: AsyncConnection, tenant_id: int, leaf_ids: list[UUID]) -> int:  # type: ignore[empty-body]
    """Delete everything that belongs to a person, given by all the leaf ids that lead to them.

    When: inside the transaction that erases the person, before the core deletes the events.
    Return: how many rows were deleted.
    Failure: the whole transaction rolls back.
    """


@hookspec
async def export_person(  # type: ignore[empty-body]
    connection: AsyncConnection, tenant_id: int, leaf_ids: list[UUID]
) -> dict[str, list[dict[str, object]]]:
    """Hand out everything that belongs to a person.

    When: an operator exports the person.
    Return: lists of JSON-ready rows by kind, for example `{"sessions": [...]}`.
    Failure: the export fails, rather than being incomplete.
    """
