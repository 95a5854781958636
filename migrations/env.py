"""The Alembic environment of the core and of every plugin; `chatnation.core.storage.migrations` runs it.

Each history has its own PostgreSQL schema and keeps its version inside it, so that a plugin which is no longer
installed never stands in the way of another one's upgrade.
"""

from alembic import context

from chatnation.core.storage.migrations import History, scope

history: History = context.config.attributes["history"]

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=history.metadata,
    version_table_schema=history.schema,
    **scope(history),
)
with context.begin_transaction():
    context.run_migrations()
