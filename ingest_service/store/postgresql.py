"""What PostgreSQL does not take as SQLite does: a NUL in a text. It is kept as a sign that nobody types."""

from typing import Any

from sqlalchemy import Engine, event

NUL, INSTEAD = "\0", "\ufffd"


def prepare(engine: Engine) -> None:
    """From now on no statement of that engine fails because of what a stranger put into a form or an address."""
    event.listen(engine, "before_cursor_execute", _cleaned, retval=True)


def _cleaned(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_context: Any) -> tuple[str, Any]:
    if isinstance(parameters, list | tuple):
        return statement, [_without_nul(row) for row in parameters]
    return statement, _without_nul(parameters)


def _without_nul(row: Any) -> Any:
    if not any(isinstance(value, str) and NUL in value for value in row.values()):
        return row
    return {key: value.replace(NUL, INSTEAD) if isinstance(value, str) else value for key, value in row.items()}
