"""What cremations teach of what their furnace usually shows."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lesson",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("furnace_id", sa.Integer(), nullable=False),
        sa.Column("case_number", sa.String(length=200), nullable=False),
        sa.Column("cremation_id", sa.BigInteger(), nullable=False),
        sa.Column("charge_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.Column("held_back", sa.String(length=200), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("minutes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["furnace_id"], ["furnace.id"], name=op.f("fk_lesson_furnace_id_furnace")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lesson")),
        sa.UniqueConstraint("furnace_id", "case_number", name=op.f("uq_lesson_furnace_id")),
    )
    op.create_index(op.f("ix_lesson_cremation_id"), "lesson", ["cremation_id"], unique=False)


def downgrade() -> None:
    op.drop_table("lesson")
