"""Drop the counts of page views: the columnar copy of events tells them."""

from __future__ import annotations

from importlib import import_module

from alembic import op

revision = "overview_0002"
down_revision = "overview_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("page_counts", schema="overview")


def downgrade() -> None:
    import_module("chatnation.plugins.overview.migrations.0001_page_counts").upgrade()
