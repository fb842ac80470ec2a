"""The Alembic chain of the relational tables: one chain for SQLite and PostgreSQL."""
