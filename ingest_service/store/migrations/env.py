"""Runs the chain on the connection that `open_database` hands over."""

from alembic import context

from ingest_service.store import alarm_tables as _alarms  # noqa: F401 - completes the tables
from ingest_service.store import audit_tables as _audit  # noqa: F401 - completes the tables
from ingest_service.store import cycle_tables as _cycles  # noqa: F401 - completes the tables
from ingest_service.store import judged_tables as _judged  # noqa: F401 - completes the tables
from ingest_service.store import people_tables as _people  # noqa: F401 - completes the tables
from ingest_service.store.remote import tables as _external  # noqa: F401 - completes the tables
from ingest_service.store.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
