"""Cremations, and the energy that furnaces used by the hour."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PHASES = ("ignition_ms", "main_ms", "burnout_ms", "cooling_ms")
FIGURES = (
    "chamber2_below_s",
    "co_peak",
    "co_mean",
    "co_first_hour",
    "co_half_hour",
    "gas_m3",
    "electricity_kwh",
    "co2_kg",
    "co_g",
    "so2_g",
    "nox_g",
    "hcl_g",
    "dust_g",
)
ENERGY = ("gas_m3", "gas_in_cycles_m3", "electricity_kwh", "electricity_in_cycles_kwh")


def upgrade() -> None:
    op.create_table(
        "cremation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("furnace_id", sa.Integer(), nullable=False),
        sa.Column("case_number", sa.String(length=200), nullable=False),
        sa.Column("found_by", sa.String(length=200), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("charge_ms", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in PHASES),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.Column("start_kind", sa.String(length=200), nullable=False),
        sa.Column("covered_share", sa.Float(), nullable=False),
        sa.Column("chamber2_least_c", sa.Float(), nullable=True),
        sa.Column("chamber2_limit_c", sa.Float(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=True) for name in FIGURES),
        sa.Column("co2_kg_per_m3", sa.Float(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("revision_reason", sa.String(length=200), nullable=False),
        sa.Column("computed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["furnace_id"], ["furnace.id"], name=op.f("fk_cremation_furnace_id_furnace")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cremation")),
        sa.UniqueConstraint("furnace_id", "case_number", "revision", name=op.f("uq_cremation_furnace_id")),
    )
    op.create_index(op.f("ix_cremation_charge_ms"), "cremation", ["charge_ms"], unique=False)
    op.create_table(
        "energy_hour",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("furnace_id", sa.Integer(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=True) for name in ENERGY),
        sa.Column("burning_s", sa.Float(), nullable=False),
        sa.Column("hot_idle_s", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["furnace_id"], ["furnace.id"], name=op.f("fk_energy_hour_furnace_id_furnace")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_energy_hour")),
        sa.UniqueConstraint("furnace_id", "start_ms", name=op.f("uq_energy_hour_furnace_id")),
    )
    op.create_index(op.f("ix_energy_hour_start_ms"), "energy_hour", ["start_ms"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_energy_hour_start_ms"), table_name="energy_hour")
    op.drop_table("energy_hour")
    op.drop_index(op.f("ix_cremation_charge_ms"), table_name="cremation")
    op.drop_table("cremation")
