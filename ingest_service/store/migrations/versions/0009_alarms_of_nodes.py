"""Alarms that belong to no home, but to a node of the organisation."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("alarm") as table:
        table.alter_column("home_id", existing_type=sa.String(200), nullable=True)
        table.add_column(sa.Column("node_id", sa.String(200), nullable=True))


def downgrade() -> None:
    op.execute("DELETE FROM delivery WHERE alarm_id IN (SELECT id FROM alarm WHERE home_id IS NULL)")
    op.execute("DELETE FROM alarm_event WHERE alarm_id IN (SELECT id FROM alarm WHERE home_id IS NULL)")
    op.execute("DELETE FROM alarm WHERE home_id IS NULL")
    with op.batch_alter_table("alarm") as table:
        table.drop_column("node_id")
        table.alter_column("home_id", existing_type=sa.String(200), nullable=False)
