"""Judgements and exceedances name their averaging, exceedances the side of their limit."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SUBJECT = ("furnace_id", "rule", "pollutant")


def upgrade() -> None:
    with op.batch_alter_table("judgement") as table:
        table.add_column(sa.Column("averaging", sa.String(200), nullable=False, server_default="clock_hour"))
        table.drop_constraint("uq_judgement_furnace_id", type_="unique")
        table.create_unique_constraint("uq_judgement_furnace_id", [*SUBJECT, "averaging", "start_ms", "revision"])
    with op.batch_alter_table("exceedance") as table:
        table.add_column(sa.Column("averaging", sa.String(200), nullable=False, server_default="clock_hour"))
        table.add_column(sa.Column("bound", sa.String(200), nullable=False, server_default="at_most"))
        table.drop_constraint("uq_exceedance_furnace_id", type_="unique")
        table.create_unique_constraint("uq_exceedance_furnace_id", [*SUBJECT, "averaging", "start_ms"])


def downgrade() -> None:
    with op.batch_alter_table("exceedance") as table:
        table.drop_constraint("uq_exceedance_furnace_id", type_="unique")
        table.drop_column("bound")
        table.drop_column("averaging")
        table.create_unique_constraint("uq_exceedance_furnace_id", [*SUBJECT, "start_ms"])
    with op.batch_alter_table("judgement") as table:
        table.drop_constraint("uq_judgement_furnace_id", type_="unique")
        table.drop_column("averaging")
        table.create_unique_constraint("uq_judgement_furnace_id", [*SUBJECT, "start_ms", "revision"])
