"""Finding persons by a part of a text, through indexes of the three-letter pieces of ids and names.

Row-level security keeps such indexes from those whom it binds: what compares pieces is not leakproof, so every row of
the tenant would be looked at first. So the search is a function that runs as the owner of the tables, and names the
tenant of the transaction itself.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.storage.row_security import CURRENT
from chatnation.core.storage.tenant_role import TenantRole

SEARCHED_KINDS = ("user", "phone", "handle")
"""Of these ids any part is found; of those of visitors the beginning. As in the indexes."""
SEARCHED_TRAITS = ("name", "first_name", "firstName", "last_name", "lastName", "email", "phone", "pin")
"""As in the index: a further one takes a revision of the schema."""


async def provide_search(connection: AsyncConnection, role: TenantRole) -> None:
    """Make the function `persons_matching` what it is here; transactions of tenants may call it, and nobody else."""
    await connection.exec_driver_sql(_FUNCTION)
    await connection.exec_driver_sql(f"REVOKE ALL ON FUNCTION {_NAME} FROM PUBLIC")
    await connection.exec_driver_sql(f"GRANT EXECUTE ON FUNCTION {_NAME} TO {role.quoted}")


def listed(names: tuple[str, ...]) -> str:
    """Names as SQL."""
    return ", ".join(f"'{name}'" for name in names)


_NAME = "persons_matching(text[], int)"
# Of two letters there is no piece but the one that a text, or a word in it, begins with.
_PIECES = """
CASE WHEN length(asked.part) > 2
     THEN ARRAY(SELECT hashtextextended(substr(asked.part, place, 3), asked.tenant)
                  FROM generate_series(1, length(asked.part) - 2) AS place)
     ELSE ARRAY[hashtextextended(E'\\x02' || asked.part, asked.tenant)] END
"""
_WORD = "ARRAY[hashtextextended(' ' || asked.part, asked.tenant)]"


def _matching(table: str, value: str, at: str, only: str) -> str:
    """The rows of a table whose text has a part that is asked for."""
    found = f"SELECT leaf_id, {at} AS at FROM {table} WHERE tenant_id = asked.tenant AND {only}"
    pieces = "search_pieces(tenant_id, value)"
    return f"""
    SELECT each.* FROM asked CROSS JOIN LATERAL (
        {found} AND {pieces} @> {_PIECES}
            AND CASE WHEN length(asked.part) > 2 THEN position(asked.part IN lower({value})) > 0
                     ELSE starts_with(lower({value}), asked.part) END
        LIMIT most
    ) AS each
     UNION ALL
    SELECT each.* FROM asked CROSS JOIN LATERAL (
        {found} AND {pieces} @> {_WORD} AND position(' ' || asked.part IN lower({value})) > 0 LIMIT most
    ) AS each WHERE length(asked.part) = 2
    """


_FUNCTION = f"""
CREATE OR REPLACE FUNCTION persons_matching(parts text[], most int) RETURNS TABLE (leaf_id uuid, at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $search$
WITH asked AS MATERIALIZED (
    SELECT DISTINCT lower(part) AS part, {CURRENT} AS tenant FROM unnest(parts) AS part
)
{_matching("identities", "value", "last_seen", f"kind IN ({listed(SEARCHED_KINDS)})")}
 UNION ALL
{_matching("person_traits", "(value #>> '{}')", "set_at", f"key IN ({listed(SEARCHED_TRAITS)})")}
 UNION ALL
SELECT each.* FROM asked CROSS JOIN LATERAL (
    SELECT i.leaf_id, i.last_seen FROM identities i
     WHERE i.tenant_id = asked.tenant AND i.kind = 'anonymous'
       AND i.value ~>=~ asked.part AND i.value ~<~ (asked.part || '~') LIMIT most
) AS each
$search$
"""
