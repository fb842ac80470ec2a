"""The WHERE clause: conditions on tags and fields, and the span of time, which stands in no OR."""

import re
from datetime import UTC, datetime

import msgspec

from ingest_service.influxql.reading import Reading
from ingest_service.influxql.syntax import FOR_EVER_MS, Both, Condition, Either, FieldTest, Span, TagTest
from ingest_service.influxql.tokens import Kind, NotUnderstood, duration_ms

_SIGNS = ("=", "!=", "<>", "<", "<=", ">", ">=", "=~", "!~")


class _Bound(msgspec.Struct, frozen=True):
    """A condition on the time."""

    sign: str
    at_ms: float


_Part = _Bound | Condition


class Where(msgspec.Struct, frozen=True):
    """What the clause says."""

    condition: Condition = Both()
    span: Span = Span()


def read_where(reading: Reading, now_ms: int) -> Where:
    """The clause, or that there is none."""
    if not reading.skip("WHERE"):
        return Where()
    parts = _read_all(reading, now_ms)
    bounds = [part for part in parts if isinstance(part, _Bound)]
    rest = tuple(part for part in parts if not isinstance(part, _Bound))
    return Where(rest[0] if len(rest) == 1 else Both(rest), _span(bounds))


def _read_all(reading: Reading, now_ms: int) -> list[_Part]:
    """Parts that AND joins; of those that OR joins, one part is made."""
    groups = [_read_joined(reading, now_ms)]
    while reading.skip("OR"):
        groups.append(_read_joined(reading, now_ms))
    if len(groups) == 1:
        return groups[0]
    return [Either(tuple(_without_time(group) for group in groups))]


def _read_joined(reading: Reading, now_ms: int) -> list[_Part]:
    parts = _read_one(reading, now_ms)
    while reading.skip("AND"):
        parts = parts + _read_one(reading, now_ms)
    return parts


def _read_one(reading: Reading, now_ms: int) -> list[_Part]:
    if reading.skip("("):
        parts = _read_all(reading, now_ms)
        reading.expect(")")
        return parts
    is_time = reading.next.text.lower() == "time"
    name = reading.name()
    sign = reading.next.text
    if sign not in _SIGNS:
        raise reading.wrong("a comparison")
    reading.take()
    return [_Bound(sign, _read_time(reading, now_ms)) if is_time else _read_test(reading, name, sign)]


def _read_test(reading: Reading, name: str, sign: str) -> Condition:
    if sign in ("=~", "!~"):
        return TagTest(tag=name, pattern=reading.pattern(), negated=sign == "!~")
    if reading.stands(Kind.TEXT):
        if sign not in ("=", "!=", "<>"):
            raise NotUnderstood(f"tags have no order: {name} {sign}")
        return TagTest(tag=name, text=reading.take().text, negated=sign != "=")
    return FieldTest(name, "!=" if sign == "<>" else sign, reading.number())


def _read_time(reading: Reading, now_ms: int) -> float:
    """`now() - 1h`, `1700000000000ms`, nanoseconds without a unit, or a text as RFC 3339 has it."""
    if reading.skip("NOW", "(", ")"):
        at_ms = float(now_ms)
    elif reading.stands(Kind.TEXT):
        at_ms = _moment_ms(reading.take().text)
    elif reading.stands(Kind.DURATION):
        at_ms = duration_ms(reading.take().text)
    else:
        at_ms = reading.number() / 1e6
    while (sign := reading.next.text) in ("+", "-") and reading.stands(Kind.SIGN):
        reading.take()
        if not reading.stands(Kind.DURATION):
            raise reading.wrong("a duration")
        length_ms = duration_ms(reading.take().text)
        at_ms += length_ms if sign == "+" else -length_ms
    return at_ms


def _moment_ms(text: str) -> float:
    try:
        moment = datetime.fromisoformat(re.sub(r"Z$", "+00:00", text))
    except ValueError as error:
        raise NotUnderstood(f"invalid time {text!r}") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000


def _span(bounds: list[_Bound]) -> Span:
    from_ms, to_ms = 0, FOR_EVER_MS
    for bound in bounds:
        at_ms = -int(-bound.at_ms // 1)  # times are whole ms: what begins within one begins with the next
        match bound.sign:
            case ">=":
                from_ms = max(from_ms, at_ms)
            case ">":
                from_ms = max(from_ms, int(bound.at_ms // 1) + 1)
            case "<":
                to_ms = min(to_ms, at_ms)
            case "<=":
                to_ms = min(to_ms, int(bound.at_ms // 1) + 1)
            case "=":
                from_ms, to_ms = max(from_ms, at_ms), min(to_ms, at_ms + 1)
            case _:
                raise NotUnderstood(f"a time cannot be compared by {bound.sign}")
    return Span(from_ms, to_ms)


def _without_time(parts: list[_Part]) -> Condition:
    tests = tuple(part for part in parts if not isinstance(part, _Bound))
    if len(tests) < len(parts):
        raise NotUnderstood("a condition on time cannot stand in an OR")
    return tests[0] if len(tests) == 1 else Both(tests)
