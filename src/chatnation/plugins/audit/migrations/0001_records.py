"""Records that are only ever added, and the chains that seal them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import INET, JSONB

revision = "audit_0001"
down_revision = None
branch_labels = None
depends_on = None

# Whoever owns the tables can open a door, but not by accident: it is open for one transaction that says so.
#   audit.door = 'retention' or 'erasure': rows may go, and a record may lose whom it names.
#   chatnation.erasing = 'tenant': the core erases a tenant with everything in it.
GUARD = """
CREATE FUNCTION audit.guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    door text := coalesce(current_setting('audit.door', true), '');
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF door IN ('retention', 'erasure') OR current_setting('chatnation.erasing', true) = 'tenant' THEN
            RETURN OLD;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF door = 'erasure' AND TG_TABLE_NAME = 'records' THEN
            IF NEW.redacted_at IS NOT NULL
               AND (NEW.id, NEW.tenant_id, NEW.recorded_at, NEW.action, NEW.content_hash)
                   IS NOT DISTINCT FROM (OLD.id, OLD.tenant_id, OLD.recorded_at, OLD.action, OLD.content_hash) THEN
                RETURN NEW;
            END IF;
        END IF;
    END IF;
    RAISE EXCEPTION 'audit.% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$
"""
CONTENT_HASH = """
CREATE FUNCTION audit.content_hash(r audit.records) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(jsonb_build_array(
        r.tenant_id, (extract(epoch FROM r.recorded_at) * 1000000)::bigint, r.actor_type, r.actor_id, r.actor_name,
        r.action, r.resource_type, r.resource_id, r.details, host(r.ip_address), r.user_agent
    )::text, 'UTF8'))
$$
"""
COMPLETE = """
CREATE FUNCTION audit.complete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.content_hash := audit.content_hash(NEW);
    NEW.redacted_at := NULL;
    INSERT INTO audit.waiting (record_id, tenant_id) VALUES (NEW.id, NEW.tenant_id);
    RETURN NEW;
END
$$
"""


def upgrade() -> None:
    op.create_table(
        "records",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column(
            "tenant_id", sa.Integer, sa.ForeignKey("public.tenants.id"), comment="Null: it concerns the instance."
        ),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()),
        sa.Column("actor_type", sa.Text),
        sa.Column("actor_id", sa.Integer),
        sa.Column("actor_name", sa.Text),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("resource_type", sa.Text),
        sa.Column("resource_id", sa.Text),
        sa.Column("details", JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("ip_address", INET),
        sa.Column("user_agent", sa.Text),
        sa.Column("content_hash", sa.LargeBinary, nullable=False, comment="Set by a trigger from the columns before."),
        sa.Column(
            "redacted_at",
            sa.DateTime(timezone=True),
            comment="Since then it names nobody; the hash is of what it said.",
        ),
        schema="audit",
    )
    op.create_index("records_by_tenant", "records", ["tenant_id", "id"], schema="audit")
    op.create_index("records_by_action", "records", ["tenant_id", "action", "id"], schema="audit")
    op.create_index(
        "records_by_resource", "records", ["tenant_id", "resource_type", "resource_id", "id"], schema="audit"
    )
    op.create_table(
        "seals",
        sa.Column("record_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, nullable=False, comment="Place in the tenant's chain, from 1."),
        sa.Column("tenant_id", sa.Integer, sa.ForeignKey("public.tenants.id")),
        sa.Column(
            "hash",
            sa.LargeBinary,
            nullable=False,
            comment="Of the hash before, the record's id and its content hash.",
        ),
        schema="audit",
    )
    op.create_index(
        "seals_chain",
        "seals",
        ["tenant_id", "position"],
        unique=True,
        schema="audit",
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "waiting",
        sa.Column("record_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("tenant_id", sa.Integer, sa.ForeignKey("public.tenants.id")),
        schema="audit",
        comment="Records that are not sealed yet.",
    )
    op.create_table(
        "anchors",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("removed", sa.BigInteger, nullable=False, comment="How many records this cut removed."),
        sa.Column("cut_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()),
        sa.Column("tenant_id", sa.Integer, sa.ForeignKey("public.tenants.id")),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        schema="audit",
        comment="Where a chain begins since retention cut off what was before.",
    )
    op.create_index("anchors_by_tenant", "anchors", ["tenant_id", "position"], schema="audit")
    for function in (GUARD, CONTENT_HASH, COMPLETE):
        op.execute(function)
    for table in ("records", "seals", "anchors"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.{table}"
            " FOR EACH ROW EXECUTE FUNCTION audit.guard()"
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON audit.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION audit.guard()"
        )
    op.execute("CREATE TRIGGER complete BEFORE INSERT ON audit.records FOR EACH ROW EXECUTE FUNCTION audit.complete()")


def downgrade() -> None:
    for table in ("records", "seals", "anchors"):
        op.execute(f"DROP TRIGGER append_only ON audit.{table}")
        op.execute(f"DROP TRIGGER never_emptied ON audit.{table}")
    op.execute("DROP TRIGGER complete ON audit.records")
    op.execute("DROP FUNCTION audit.complete()")
    op.execute("DROP FUNCTION audit.content_hash(audit.records)")
    op.execute("DROP FUNCTION audit.guard()")
    for table in ("anchors", "waiting", "seals", "records"):
        op.drop_table(table, schema="audit")
