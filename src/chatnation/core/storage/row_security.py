"""Row-level security: what a transaction of a tenant may reach, kept by PostgreSQL itself.

What is wanted follows from the catalog: a table with a column `tenant_id` shows the rows of the tenant that the
transaction is for, whoever made it; what nobody named is not reachable at all. So a new table is closed until it is
protected, which happens in every upgrade, and nothing is granted by default.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.storage.models import metadata
from chatnation.core.storage.tenant_role import TenantRole
from chatnation.core.storage.tenant_tables import plugin_schemas

POLICY = "tenant"
CURRENT = "(NULLIF(current_setting('chatnation.tenant_id'::text, true), ''::text))::integer"
"""The tenant of the transaction; null, which equals nothing, where none is named."""

_ROWS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
_READ = frozenset({"SELECT"})
_VIEWS = ("events_expanded",)
_USER_COLUMNS = frozenset({"id", "email", "name", "created_at", "last_login_at", "disabled_at"})


@dataclass(frozen=True, slots=True)
class Access:
    """What the role of tenants may do with a relation.

    `policy` says in SQL which rows; None: row-level security shows none where it is on, or does not apply. `columns`:
    only these may be read.
    """

    privileges: frozenset[str] = frozenset()
    policy: str | None = None
    columns: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, view or sequence as the database has it. `rules` are its policies that concern the role, by name."""

    schema: str
    name: str
    kind: str
    is_partition: bool
    has_tenant: bool
    is_walled: bool
    as_invoker: bool
    privileges: frozenset[str]
    readable: frozenset[str]
    columns: frozenset[str]
    rules: Mapping[str, str]

    @property
    def label(self) -> str:
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"

    @property
    def quoted(self) -> str:
        return f'"{self.schema}"."{self.name}"'

    @property
    def is_table(self) -> bool:
        return self.kind in ("r", "p")


@dataclass(frozen=True, slots=True)
class Gap:
    """What a relation lacks, in words, and the statements that mend it."""

    relation: str
    lacks: str
    statements: tuple[str, ...]


_NOTHING = Access()
_OWN_ROWS = Access(_ROWS, f"(tenant_id = {CURRENT})")
_CORE = {
    "tenants": Access(frozenset({"SELECT", "UPDATE"}), f"(id = {CURRENT})"),
    "users": Access(
        policy=f"(id IN (SELECT user_id FROM public.memberships WHERE (tenant_id = {CURRENT})))", columns=_USER_COLUMNS
    ),
    # A receipt stays as it was written.
    "erasures": Access(frozenset({"SELECT", "INSERT"}), f"(tenant_id = {CURRENT})"),
    # Names of browsers, without a word about who used them.
    "clients": Access(_READ),
    # Raised by whoever changes what processes keep in memory.
    "cache_versions": Access(frozenset({"SELECT", "INSERT", "UPDATE"})),
}
"""The tables of the core that are not what their columns say. Others without `tenant_id` are not for tenants."""


async def protect(connection: AsyncConnection, role: TenantRole, global_tables: Mapping[str, frozenset[str]]) -> None:
    """Put up what is missing on every table of the core and of every plugin in the database, installed or not.

    `global_tables`: by schema, the tables of these plugins that belong to no tenant; bound transactions may read them.
    """
    for gap in await gaps(connection, role, global_tables):
        for statement in gap.statements:
            await connection.execute(text(statement))


async def gaps(connection: AsyncConnection, role: TenantRole, global_tables: Mapping[str, frozenset[str]]) -> list[Gap]:
    """What is not as it should be; nothing once `protect` was there. Arguments as for `protect`."""
    schemas = await plugin_schemas(connection)
    found = await _schema_gaps(connection, role, ["public", *schemas])
    about = {"role": role.name, "core": [*metadata.tables, *_VIEWS], "plugins": schemas}
    for row in await connection.execute(_RELATIONS, about):
        relation = _relation(row._asdict())
        wanted = _wanted(relation, global_tables)
        if wanted is not None:
            found += _compare(relation, wanted, role)
    return found


def _wanted(relation: Relation, global_tables: Mapping[str, frozenset[str]]) -> Access | None:
    """None where nobody knows: the table of a plugin that is not installed, or not asked, may be meant for all."""
    if relation.is_partition:
        return _NOTHING  # Reached through the table that it is a part of.
    if relation.schema == "public" and relation.name in _CORE:
        return _CORE[relation.name]
    if relation.kind == "S":
        return Access(frozenset({"USAGE"}))
    if relation.kind == "v":
        return Access(_READ) if relation.as_invoker else _NOTHING
    if not relation.is_table:
        return _NOTHING
    if relation.has_tenant:
        return _OWN_ROWS
    if relation.schema == "public" or relation.name == "alembic_version":
        return _NOTHING
    named = global_tables.get(relation.schema)
    if named is None:
        return None
    return Access(_READ) if relation.name in named else _NOTHING


def _compare(relation: Relation, wanted: Access, role: TenantRole) -> Iterator[Gap]:
    if relation.is_table and (wanted.policy or relation.is_partition) and not relation.is_walled:
        statement = f"ALTER TABLE {relation.quoted} ENABLE ROW LEVEL SECURITY"
        yield Gap(relation.label, "row-level security is off", (statement,))
    yield from _compare_policies(relation, wanted, role)
    yield from _compare_privileges(relation, wanted, role)


def _compare_policies(relation: Relation, wanted: Access, role: TenantRole) -> Iterator[Gap]:
    for name in relation.rules.keys() - {POLICY}:
        drop = f'DROP POLICY "{name}" ON {relation.quoted}'
        yield Gap(relation.label, f"its policy {name} lets tenants see more", (drop,))
    rule = relation.rules.get(POLICY)
    if _bare(rule) == _bare(f"* {wanted.policy} {wanted.policy}" if wanted.policy else None):
        return
    # One of that name may be there for another role, from before the database got a new owner.
    statements = [f"DROP POLICY IF EXISTS {POLICY} ON {relation.quoted}"]
    if wanted.policy:
        statements.append(
            f"CREATE POLICY {POLICY} ON {relation.quoted} TO {role.quoted}"
            f" USING ({wanted.policy}) WITH CHECK ({wanted.policy})"
        )
    yield Gap(relation.label, "its policy is another one" if rule else "it has no policy", tuple(statements))


def _bare(sql: str | None) -> str | None:
    """The gist of an expression. How PostgreSQL writes one down differs a little between its versions."""
    if sql is None:
        return None
    return re.sub(r"[\s()\"]|::text|public\.|memberships\.", "", sql).lower()


def _compare_privileges(relation: Relation, wanted: Access, role: TenantRole) -> Iterator[Gap]:
    kind = "SEQUENCE" if relation.kind == "S" else "TABLE"
    about = f"ON {kind} {relation.quoted}"
    if relation.privileges - wanted.privileges:
        more = ", ".join(sorted(relation.privileges - wanted.privileges))
        yield Gap(relation.label, f"tenants may {more}", (f"REVOKE {more} {about} FROM {role.quoted}, PUBLIC",))
    if wanted.privileges - relation.privileges:
        less = ", ".join(sorted(wanted.privileges - relation.privileges))
        yield Gap(relation.label, f"tenants may not {less}", (f"GRANT {less} {about} TO {role.quoted}",))
    if "SELECT" in wanted.privileges:
        return
    readable = (wanted.columns or frozenset()) & relation.columns
    if relation.is_table and relation.readable != readable:
        columns = ", ".join(sorted(readable))
        again = [f"GRANT SELECT ({columns}) {about} TO {role.quoted}"] if readable else []
        statements = (f"REVOKE ALL {about} FROM {role.quoted}, PUBLIC", *again)
        yield Gap(relation.label, "tenants may read other columns than they should", statements)


async def _schema_gaps(connection: AsyncConnection, role: TenantRole, schemas: Sequence[str]) -> list[Gap]:
    closed = await connection.scalars(_CLOSED_SCHEMAS, {"role": role.name, "schemas": list(schemas)})
    return [
        Gap(schema, "tenants may not look into it", (f'GRANT USAGE ON SCHEMA "{schema}" TO {role.quoted}',))
        for schema in closed
    ]


def _relation(row: dict[str, Any]) -> Relation:
    sets = {name: frozenset(row[name]) for name in ("privileges", "readable", "columns")}
    return Relation(**{**row, **sets})


_CLOSED_SCHEMAS = text(
    "SELECT nspname FROM pg_namespace"
    " WHERE nspname = ANY(:schemas) AND NOT has_schema_privilege(CAST(:role AS name), oid, 'USAGE')"
)
_RELATIONS = text(
    """
    WITH RECURSIVE ours AS (
        SELECT c.oid
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
           AND (n.nspname = ANY(:plugins) OR n.nspname = 'public' AND c.relname = ANY(:core))
            OR c.relkind = 'S' AND n.nspname = ANY(:plugins)
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i')
        UNION
        SELECT i.inhrelid FROM ours JOIN pg_inherits i ON i.inhparent = ours.oid
    )
    SELECT n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, c.relispartition AS is_partition,
           EXISTS (
               SELECT FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
           ) AS has_tenant,
           c.relrowsecurity AS is_walled,
           coalesce(c.reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], false) AS as_invoker,
           ARRAY(
               SELECT p FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'])
                   AS p
                WHERE c.relkind <> 'S' AND has_table_privilege(CAST(:role AS name), c.oid, p)
               UNION ALL
               SELECT p FROM unnest(ARRAY['USAGE', 'UPDATE']) AS p
                WHERE c.relkind = 'S' AND has_sequence_privilege(CAST(:role AS name), c.oid, p)
           ) AS privileges,
           ARRAY(
               SELECT a.attname FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                  AND c.relkind <> 'S' AND has_column_privilege(CAST(:role AS name), c.oid, a.attnum, 'SELECT')
           ) AS readable,
           ARRAY(
               SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           ) AS columns,
           (
               SELECT coalesce(jsonb_object_agg(p.polname, concat_ws(' ', p.polcmd, pg_get_expr(p.polqual, p.polrelid),
                          pg_get_expr(p.polwithcheck, p.polrelid))), '{}')
                 FROM pg_policy p
                WHERE p.polrelid = c.oid AND p.polpermissive
                  AND p.polroles && ARRAY[0::oid, (SELECT oid FROM pg_roles WHERE rolname = CAST(:role AS name))]
           ) AS rules
      FROM ours
      JOIN pg_class c ON c.oid = ours.oid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     ORDER BY n.nspname, c.relname
    """
)
