"""Persons are found by a part of an id or a name, through indexes of three-letter pieces."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# What stands before the first letter is no letter, so that the beginning of a text is a piece of its own. The pieces of
# a tenant are numbers of its own. A loop takes an eighth of the time of one statement.
PIECES = r"""
CREATE FUNCTION search_pieces(tenant_id integer, value text) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    padded text := E'\x02' || lower(left(value, 256));
    pieces bigint[] := '{}';
BEGIN
    FOR place IN 1 .. greatest(length(padded) - 2, 1) LOOP
        pieces := pieces || hashtextextended(substr(padded, place, 3), tenant_id);
    END LOOP;
    RETURN pieces;
END
$$
"""
PIECES_OF_JSON = """
CREATE FUNCTION search_pieces(tenant_id integer, value jsonb) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN public.search_pieces(tenant_id, value #>> '{}');
END
$$
"""
KINDS = "kind IN ('user', 'phone', 'handle')"
TRAITS = "key IN ('name', 'first_name', 'firstName', 'last_name', 'lastName', 'email', 'phone', 'pin')"


def upgrade() -> None:
    op.execute(PIECES)
    op.execute(PIECES_OF_JSON)
    op.create_index(
        "identities_pieces_idx",
        "identities",
        [sa.text("search_pieces(tenant_id, value)")],
        postgresql_using="gin",
        postgresql_where=sa.text(KINDS),
    )
    op.create_index(
        "person_traits_pieces_idx",
        "person_traits",
        [sa.text("search_pieces(tenant_id, value)")],
        postgresql_using="gin",
        postgresql_where=sa.text(TRAITS),
    )
    # The beginning of an id is found in any collation.
    op.drop_index("identities_tenant_id_kind_value_idx", table_name="identities")
    op.create_index(
        "identities_tenant_id_kind_value_idx",
        "identities",
        ["tenant_id", "kind", "value"],
        postgresql_ops={"value": "text_pattern_ops"},
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION IF EXISTS persons_matching(text[], int)")
    op.drop_index("identities_tenant_id_kind_value_idx", table_name="identities")
    op.create_index("identities_tenant_id_kind_value_idx", "identities", ["tenant_id", "kind", "value"])
    op.drop_index("person_traits_pieces_idx", table_name="person_traits")
    op.drop_index("identities_pieces_idx", table_name="identities")
    op.execute("DROP FUNCTION search_pieces(integer, jsonb)")
    op.execute("DROP FUNCTION search_pieces(integer, text)")
