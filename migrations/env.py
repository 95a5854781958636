"""The Alembic environment of the core and of every plugin; `chatnation.core.storage.migrations` runs it.

Each history has its own PostgreSQL schema and keeps its version inside it, so that a plugin which is no longer
installed never stands in the way of another one's upgrade.
"""

from alembic import context

from chatnation.core.storage.migrations import History

history: History = context.config.attributes["history"]
tables = set(history.metadata.tables) if history.metadata is not None else set()


def is_ours(name, kind, parents):
    """Leave alone what other histories, partitions and the operator put into the database."""
    if kind == "schema":
        return name == history.schema
    if kind == "table":
        return parents["schema_qualified_table_name"] in tables
    return True


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=history.metadata,
    version_table_schema=history.schema,
    include_schemas=history.schema is not None,
    include_name=is_ours,
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
