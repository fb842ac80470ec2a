"""What is kept beside an external store."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("newest_sample", "quarantined_sample", "dirty_mark", "held_range")


def upgrade() -> None:
    op.create_table(
        "external_store",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("oldest_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_store")),
        sa.UniqueConstraint("address", name=op.f("uq_external_store_address")),
    )
    _create(
        "held_range",
        sa.Column("edge_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.String(length=20), nullable=False),
        sa.Column("first_block", sa.BigInteger(), nullable=False),
        sa.Column("last_block", sa.BigInteger(), nullable=False),
    )
    _create(
        "dirty_mark",
        sa.Column("source", sa.Integer(), nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
    )
    op.create_index(op.f("ix_dirty_mark_minute"), "dirty_mark", ["minute"], unique=False)
    _create(
        "quarantined_sample",
        sa.Column("series", sa.Integer(), nullable=False),
        *_sample_columns(),
        sa.Column("problem", sa.Text(), nullable=False),
    )
    op.create_table(
        "newest_sample",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("series", sa.Integer(), autoincrement=False, nullable=False),
        *_sample_columns(),
        sa.ForeignKeyConstraint(
            ["store_id"], ["external_store.id"], name=op.f("fk_newest_sample_store_id_external_store")
        ),
        sa.PrimaryKeyConstraint("store_id", "series", name=op.f("pk_newest_sample")),
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.drop_table("external_store")


def _create(table: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["store_id"], ["external_store.id"], name=op.f(f"fk_{table}_store_id_external_store")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_store_id"), table, ["store_id"], unique=False)


def _sample_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("measured_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("reason", sa.SmallInteger(), nullable=False),
    )
