"""One transaction of the relational database, with the service's own error."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, CursorResult, Engine, Executable
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ingest_service.errors import StoreError


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """A session whose work is committed at the end, or not at all. Raises StoreError."""
    try:
        with Session(engine) as session, session.begin():
            yield session
    except SQLAlchemyError as error:
        raise StoreError(f"relational database: {error}") from error


class LateTransaction:
    """A transaction that begins with its first statement: where nothing is to be done, the database is not asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stack = ExitStack()
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, at)

    def execute(self, statement: Executable, values: Any = None) -> CursorResult[Any]:
        """Execute a statement, once or with each row of values."""
        if self._connection is None:
            self._connection = self._stack.enter_context(self._engine.begin())
        return self._connection.execute(statement, values)
