"""The audit trail, which the database itself keeps from being changed."""

import sqlalchemy as sa
from alembic import op

from ingest_service.audit.chain import START

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TEXTS = ("who", "address", "action", "subject", "home", "before", "after", "why")
REFUSAL = "the audit trail is only added to"


def upgrade() -> None:
    op.create_table(
        "audit_record",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in TEXTS),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_record")),
    )
    op.create_index(op.f("ix_audit_record_at_ms"), "audit_record", ["at_ms"], unique=False)
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.bulk_insert(head, [{"id": 1, "number": START.number, "digest": START.digest}])
    for statement in _guards(op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("audit_head")
    op.drop_index(op.f("ix_audit_record_at_ms"), table_name="audit_record")
    op.drop_table("audit_record")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_record_kept()")


def _guards(dialect: str) -> list[str]:
    """Triggers in the dialect's own words; an administrator can drop them, which is why there is a chain as well."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER audit_record_{act.lower()} BEFORE {act} ON audit_record "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            for act in ("UPDATE", "DELETE")
        ]
    if dialect == "postgresql":
        return [
            "CREATE FUNCTION audit_record_kept() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
            "CREATE TRIGGER audit_record_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_record "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_record_kept()",
        ]
    return []
