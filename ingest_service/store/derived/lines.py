"""Derived points as line protocol. Pure."""

from collections.abc import Iterable

from ingest_service.store.derived.point import Point, Tags
from ingest_service.store.remote.names import escaped, fit

AT = "at"  # the label that tells one event from the others of its tags


def lines(points: Iterable[Point]) -> bytes:
    """Lines with texts as fields, ms since 1970 UTC."""
    return "\n".join(_line(one.measurement, one.tags, one.at_ms, one.fields, one.texts) for one in points).encode()


def lines_of_numbers(points: Iterable[Point]) -> bytes:
    """The same for a server that knows numbers only: texts become tags, and what has any is a series of its own."""
    return "\n".join(_line(one.measurement, _labels(one), one.at_ms, one.fields, ()) for one in points).encode()


def _labels(point: Point) -> Tags:
    if not point.texts:
        return point.tags
    return tuple(sorted((*point.tags, *point.texts, (AT, at_label(point)))))


def at_label(point: Point) -> str:
    """The second of an event, s since 1970 UTC."""
    return str(point.at_ms // 1000)


def _line(measurement: str, tags: Tags, at_ms: int, fields: Iterable[tuple[str, float]], texts: Tags) -> str:
    head = measurement + "".join(f",{name}={escaped(fit(value))}" for name, value in tags)
    parts = [f"{name}={value!r}" for name, value in fields]
    parts += [f'{name}="{fit(text)}"' for name, text in texts]
    return f"{head} {','.join(parts)} {at_ms}"
