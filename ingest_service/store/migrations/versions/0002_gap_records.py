"""Gap records."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gap_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("edge_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.String(length=200), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.String(length=200), nullable=False),
        sa.Column("channels", sa.Text(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_ms", sa.BigInteger(), nullable=False),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["edge_id"], ["edge.id"], name=op.f("fk_gap_record_edge_id_edge")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gap_record")),
        sa.UniqueConstraint("edge_id", "epoch", "block", "device", name=op.f("uq_gap_record_edge_id")),
    )
    op.create_index(op.f("ix_gap_record_to_ms"), "gap_record", ["to_ms"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_gap_record_to_ms"), table_name="gap_record")
    op.drop_table("gap_record")
