"""Operators' marks of plant state, and what people say of exceedances: both only added to."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("furnace_id", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=200), nullable=False),
        sa.Column("replaces", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("who", sa.String(length=200), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["furnace_id"], ["furnace.id"], name=op.f("fk_mark_furnace_id_furnace")),
        sa.ForeignKeyConstraint(["replaces"], ["mark.id"], name=op.f("fk_mark_replaces_mark")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mark")),
        sa.UniqueConstraint("replaces", name=op.f("uq_mark_replaces")),
    )
    op.create_index(op.f("ix_mark_furnace_id"), "mark", ["furnace_id"], unique=False)
    op.create_table(
        "exceedance_remark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("furnace_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=200), nullable=False),
        sa.Column("pollutant", sa.String(length=200), nullable=False),
        sa.Column("averaging", sa.String(length=200), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("who", sa.String(length=200), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["furnace_id"], ["furnace.id"], name=op.f("fk_exceedance_remark_furnace_id_furnace")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exceedance_remark")),
    )
    op.create_index(op.f("ix_exceedance_remark_furnace_id"), "exceedance_remark", ["furnace_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_exceedance_remark_furnace_id"), table_name="exceedance_remark")
    op.drop_table("exceedance_remark")
    op.drop_index(op.f("ix_mark_furnace_id"), table_name="mark")
    op.drop_table("mark")
