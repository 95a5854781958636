"""Different people of a stretch of days, from counts that are kept: exact, and quick however many people there are.

Different people cannot be added up over days, but this can: on each day, the people by the day before on which they
came. Of the days from `first` to `last`, everybody has one that comes first, and it is the one whose "day before" lies
before `first`. So the different people of a stretch are a sum over its days, and those of a day are one as well.

`person_days` holds everybody's days, so that a change of one person's takes their old days out of the counts and puts
the new ones in. Changes come from two sides: sessions, where a trigger notes whose days may be others now in
`person_news`, and merges, which the core logs. Both are caught up with by a job, and by whoever reads.

Days are local days of the tenant's time zone. When that changes, all is counted anew, by the job.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

CAUGHT_UP_BY_READERS = 3_000
"""News that a reader catches up with; with more than that, it has to count by itself, and the job is about to come."""
_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class DayPeople:
    """Different persons of a day. `new` are those of them who came on no earlier day of the stretch."""

    day: date
    persons: int
    new: int
    new_identified: int


async def people_by_day(
    connection: AsyncConnection, tenant_id: int, first: date, last: date, zone: str
) -> list[DayPeople] | None:
    """The persons who began a session on each local day of `zone` from `first` to `last`, days without any left out.

    The different persons of the stretch are the sum of `new`; those seen with a user id or phone number, of
    `new_identified`. None where the counts are not kept or too far behind: then count from the sessions.
    """
    if not await _catch_up(connection, tenant_id, zone):
        return None
    rows = await connection.execute(_DAYS, {"tenant": tenant_id, "first": first, "last": last})
    return [DayPeople(*row) for row in rows]


async def keep_up(connection: AsyncConnection, tenant_id: int, zone: str) -> int:
    """Count news of a tenant in, or begin to keep counts; gives how many news that were, 0 when none are left."""
    about = {"tenant": tenant_id, "zone": zone}
    await connection.execute(_LOCK, about)
    if await connection.scalar(_KEPT, about) is None:
        for statement in (_FORGET_DAYS, _FORGET_COUNTS, _EVERYBODY, _BEGIN):
            await connection.execute(statement, about)
    return await _count_in(connection, tenant_id, _AT_ONCE)


async def behind(connection: AsyncConnection) -> list[tuple[int, str]]:
    """Tenants whose counts are behind, or of another time zone than theirs, each with its time zone."""
    return [(tenant_id, zone) for tenant_id, zone in await connection.execute(_BEHIND)]


async def erase_person(connection: AsyncConnection, tenant_id: int, leaf_ids: Sequence[UUID]) -> None:
    """Take a person, whose sessions are gone already, out of the counts."""
    about = {"tenant": tenant_id, "leafs": list(leaf_ids)}
    await connection.execute(_LOCK, about)
    await connection.execute(_NOTE, about)
    while await _count_in(connection, tenant_id, _AT_ONCE):
        pass


async def erase_tenant(connection: AsyncConnection, tenant_id: int) -> None:
    """Delete the counts of a tenant, whose sessions are gone already."""
    for table in ("person_news", "person_days", "day_people", "people_kept"):
        await connection.execute(text(f"DELETE FROM sessions.{table} WHERE tenant_id = :tenant"), {"tenant": tenant_id})


async def _catch_up(connection: AsyncConnection, tenant_id: int, zone: str) -> bool:
    about = {"tenant": tenant_id, "zone": zone, "most": CAUGHT_UP_BY_READERS}
    state = (await connection.execute(_STATE, about)).first()
    if state is None or state.news > CAUGHT_UP_BY_READERS:
        return False
    if state.news or state.merges:
        await connection.execute(_LOCK, about)
        await _count_in(connection, tenant_id, 2 * CAUGHT_UP_BY_READERS)
    return True


async def _count_in(connection: AsyncConnection, tenant_id: int, limit: int) -> int:
    """Count up to `limit` news in. Whoever calls it holds the lock."""
    about = {"tenant": tenant_id, "limit": limit}
    await connection.execute(_NOTE_MERGES, about)
    return (await connection.scalar(_COUNT_IN, about)) or 0


_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('sessions.people'), CAST(:tenant AS int))")
_KEPT = text("SELECT merges FROM sessions.people_kept WHERE tenant_id = :tenant AND zone = :zone")
_STATE = text(
    """
    SELECT (SELECT count(*)
              FROM (SELECT FROM sessions.person_news WHERE tenant_id = :tenant LIMIT :most + 1) AS found) AS news,
           EXISTS (SELECT FROM identity_log WHERE tenant_id = :tenant AND id > k.merges) AS merges
      FROM sessions.people_kept k
     WHERE k.tenant_id = :tenant AND k.zone = :zone
    """
)
_BEHIND = text(
    """
    SELECT t.id, t.timezone
      FROM tenants t
      LEFT JOIN sessions.people_kept k ON k.tenant_id = t.id AND k.zone = t.timezone
     WHERE k.tenant_id IS NULL
        OR EXISTS (SELECT FROM sessions.person_news n WHERE n.tenant_id = t.id)
        OR EXISTS (SELECT FROM identity_log l WHERE l.tenant_id = t.id AND l.id > k.merges)
     ORDER BY t.id
    """
)
_FORGET_DAYS = text("DELETE FROM sessions.person_days WHERE tenant_id = :tenant")
_FORGET_COUNTS = text("DELETE FROM sessions.day_people WHERE tenant_id = :tenant")
_EVERYBODY = text(
    """
    INSERT INTO sessions.person_news (tenant_id, leaf_id)
    SELECT DISTINCT tenant_id, person_id FROM sessions.sessions WHERE tenant_id = :tenant AND NOT is_bot
    """
)
_BEGIN = text(
    """
    INSERT INTO sessions.people_kept (tenant_id, zone, merges)
    SELECT :tenant, :zone, coalesce(max(id), 0) FROM identity_log WHERE tenant_id = :tenant
        ON CONFLICT (tenant_id) DO UPDATE SET zone = excluded.zone
    """
)
_NOTE = text("INSERT INTO sessions.person_news (tenant_id, leaf_id) SELECT :tenant, unnest(CAST(:leafs AS uuid[]))")
# The log is written under the tenant's identity lock, so its entries become visible in the order of their ids.
_NOTE_MERGES = text(
    """
    WITH entries AS MATERIALIZED (
        SELECT l.id, l.person_id, l.leaf_ids
          FROM identity_log l, sessions.people_kept k
         WHERE k.tenant_id = :tenant AND l.tenant_id = :tenant AND l.id > k.merges
    ), counted AS (
        UPDATE sessions.people_kept SET merges = (SELECT max(id) FROM entries)
         WHERE tenant_id = :tenant AND EXISTS (SELECT FROM entries)
    )
    INSERT INTO sessions.person_news (tenant_id, leaf_id)
    SELECT :tenant, person_id FROM entries
     UNION
    SELECT :tenant, CAST(leaf_id AS uuid) FROM entries, jsonb_array_elements_text(leaf_ids) AS leaf_id
    """
)
# Arrays and LATERAL keep the planner to the indexes: it cannot know how few the news are.
_COUNT_IN = text(
    """
    WITH news AS MATERIALIZED (
        DELETE FROM sessions.person_news
         WHERE ctid = ANY (ARRAY(SELECT ctid FROM sessions.person_news WHERE tenant_id = :tenant LIMIT :limit))
        RETURNING leaf_id
    ), affected AS MATERIALIZED (
        SELECT leaf_id AS person_id FROM news
         UNION
        SELECT m.person_id
          FROM person_merges m WHERE m.tenant_id = :tenant AND m.leaf_id = ANY (ARRAY(SELECT leaf_id FROM news))
    ), moved AS MATERIALIZED (
        SELECT leaf_id FROM person_merges
         WHERE tenant_id = :tenant AND leaf_id = ANY (ARRAY(SELECT person_id FROM affected))
    ), members AS MATERIALIZED (
        SELECT person_id, person_id AS leaf_id FROM affected WHERE person_id NOT IN (SELECT leaf_id FROM moved)
         UNION ALL
        SELECT person_id, leaf_id FROM person_merges
         WHERE tenant_id = :tenant AND person_id = ANY (ARRAY(SELECT person_id FROM affected))
    ), visits AS (
        SELECT m.person_id, s.day, s.identified
          FROM members m CROSS JOIN LATERAL (
            SELECT (started_at AT TIME ZONE k.zone)::date AS day, user_id IS NOT NULL AS identified
              FROM sessions.sessions, sessions.people_kept k
             WHERE sessions.tenant_id = :tenant AND sessions.person_id = m.leaf_id AND NOT is_bot
               AND k.tenant_id = :tenant
            OFFSET 0
          ) AS s
    ), came AS (
        SELECT person_id, array_agg(DISTINCT day) AS days,
               coalesce(array_agg(DISTINCT day) FILTER (WHERE identified), '{}') AS identified_days
          FROM visits GROUP BY person_id
    ), had AS (
        SELECT person_id, days, identified_days FROM sessions.person_days
         WHERE tenant_id = :tenant AND person_id = ANY (ARRAY(SELECT person_id FROM affected))
    ), changed AS MATERIALIZED (
        SELECT person_id, had.days AS old_days, had.identified_days AS old_identified,
               came.days AS new_days, came.identified_days AS new_identified
          FROM had FULL JOIN came USING (person_id)
         WHERE (had.days, had.identified_days) IS DISTINCT FROM (came.days, came.identified_days)
    ), counted AS (
        INSERT INTO sessions.day_people AS kept (tenant_id, identified, day, last_day, persons)
        SELECT :tenant, part.identified, one.day, one.last_day, sum(part.sign)
          FROM changed CROSS JOIN LATERAL (VALUES
                 (-1, false, old_days), (-1, true, old_identified), (1, false, new_days), (1, true, new_identified)
               ) AS part (sign, identified, days)
         CROSS JOIN LATERAL unnest(part.days, array_prepend('-infinity'::date, part.days)) AS one (day, last_day)
         WHERE one.day IS NOT NULL
         GROUP BY part.identified, one.day, one.last_day HAVING sum(part.sign) <> 0
            ON CONFLICT (tenant_id, identified, day, last_day) DO UPDATE SET persons = kept.persons + excluded.persons
    ), put AS (
        INSERT INTO sessions.person_days AS kept (tenant_id, person_id, days, identified_days)
        SELECT :tenant, person_id, new_days, new_identified FROM changed WHERE new_days IS NOT NULL
            ON CONFLICT (tenant_id, person_id)
            DO UPDATE SET days = excluded.days, identified_days = excluded.identified_days
    ), gone AS (
        DELETE FROM sessions.person_days
         WHERE tenant_id = :tenant
           AND person_id = ANY (ARRAY(SELECT person_id FROM changed WHERE new_days IS NULL))
    )
    SELECT count(*) FROM news
    """
)
_DAYS = text(
    """
    SELECT day,
           coalesce(sum(persons) FILTER (WHERE NOT identified), 0)::int8 AS persons,
           coalesce(sum(persons) FILTER (WHERE NOT identified AND last_day < :first), 0)::int8 AS new,
           coalesce(sum(persons) FILTER (WHERE identified AND last_day < :first), 0)::int8 AS new_identified
      FROM sessions.day_people
     WHERE tenant_id = :tenant AND identified IN (false, true) AND day BETWEEN :first AND :last
     GROUP BY day HAVING sum(persons) FILTER (WHERE NOT identified) > 0
     ORDER BY day
    """
)
