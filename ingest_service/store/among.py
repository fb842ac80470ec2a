"""A condition that a column is one of many texts, as one parameter: a list of hundreds is bound as fast as one text."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Text, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Listed(FunctionElement[str]):
    """The rows of a JSON array of texts."""

    inherit_cache = True
    name = "listed"
    type = Text()


@compiles(_Listed, "sqlite")
def _of_sqlite(element: _Listed, compiler: SQLCompiler, **words: Any) -> str:
    return f"(SELECT value FROM json_each({compiler.process(element.clauses, **words)}))"


@compiles(_Listed, "postgresql")
def _of_postgresql(element: _Listed, compiler: SQLCompiler, **words: Any) -> str:
    return f"(SELECT jsonb_array_elements_text(CAST({compiler.process(element.clauses, **words)} AS jsonb)))"


def packed(texts: Iterable[str]) -> str:
    """The texts as the one parameter that `among` takes."""
    return msgspec.json.encode(sorted(texts)).decode()


def among(column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None], listed: str) -> ColumnElement[bool]:
    """Whether a column is one of the packed texts."""
    return column.bool_op("IN")(_Listed(literal(listed, Text())))
