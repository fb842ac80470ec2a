"""Open alarms are found among all that ever were."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_OPEN = sa.text("cleared_at_ms IS NULL OR acknowledged_at_ms IS NULL")


def upgrade() -> None:
    op.create_index("ix_alarm_open", "alarm", ["id"], sqlite_where=_OPEN, postgresql_where=_OPEN)


def downgrade() -> None:
    op.drop_index("ix_alarm_open", "alarm")
