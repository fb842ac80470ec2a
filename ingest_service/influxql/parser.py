"""Statements from text: SELECT of fields and aggregates, and the SHOW statements that Grafana sends."""

import msgspec

from ingest_service.influxql.reading import Reading
from ingest_service.influxql.syntax import Fill, Function, Item, Select, Show, Statement, Subject, Windows
from ingest_service.influxql.tokens import Kind, NotUnderstood, duration_ms
from ingest_service.influxql.where import Where, read_where

MOST_STATEMENTS = 50
_ENDINGS = ("WHERE", "GROUP", "FILL", "ORDER", "LIMIT", "SLIMIT", "OFFSET", "SOFFSET", "TZ", "ON", "WITH")


def parse(text: str, now_ms: int) -> list[Statement]:
    """The statements, which semicolons part. Raises NotUnderstood."""
    reading, found = Reading(text), list[Statement]()
    while not reading.stands(Kind.END):
        if reading.skip(";"):
            continue
        found.append(_statement(reading, now_ms))
        if not reading.stands(Kind.END) and reading.next.text != ";":
            raise reading.wrong("the end of the statement")
    if not found:
        raise NotUnderstood('missing required parameter "q"')
    if len(found) > MOST_STATEMENTS:
        raise NotUnderstood(f"more than {MOST_STATEMENTS} statements at once")
    return found


def _statement(reading: Reading, now_ms: int) -> Statement:
    if reading.skip("SELECT"):
        return _select(reading, now_ms)
    if reading.skip("SHOW"):
        return _show(reading, now_ms)
    raise reading.wrong("SELECT or SHOW: nothing else is answered here")


def _select(reading: Reading, now_ms: int) -> Select:
    items = [_item(reading)]
    while reading.skip(","):
        items.append(_item(reading))
    if len({item.function is None for item in items}) > 1:
        raise NotUnderstood("mixing aggregate and non-aggregate queries is not supported")
    reading.expect("FROM")
    measurement = _measurement(reading)
    where = read_where(reading, now_ms)
    select = _grouped(
        reading, Select(items=tuple(items), measurement=measurement, where=where.condition, span=where.span)
    )
    select = _filled(reading, select)
    if select.windows is not None and select.items[0].function is None:
        raise NotUnderstood("GROUP BY requires at least one aggregate function")
    return _ordered(reading, select)


def _item(reading: Reading) -> Item:
    if reading.next.text in ("*", "/"):
        raise NotUnderstood("fields are selected by their names, not by * or a regular expression")
    name, function = reading.name(), None
    if reading.skip("("):
        if name.lower() not in list(Function):
            raise NotUnderstood(f"function {name}() is not understood (known: {', '.join(Function)})")
        function, name = Function(name.lower()), reading.name()
        reading.expect(")")
    return Item(name, function, reading.name() if reading.skip("AS") else "")


def _measurement(reading: Reading) -> str:
    """The last of `database.policy.measurement`; here one store answers for every database and policy."""
    if reading.stands(Kind.REGEX):
        raise NotUnderstood("a measurement is named, not matched")
    if reading.next.text == "(":
        raise NotUnderstood("subqueries are not understood")
    name = reading.name()
    while reading.skip("."):
        name = name if reading.next.text == "." else reading.name()
    if reading.next.text == ",":
        raise NotUnderstood("a statement selects from one measurement")
    return name


def _grouped(reading: Reading, select: Select) -> Select:
    if not reading.skip("GROUP", "BY"):
        return select
    by, every_tag, windows = list[str](), False, None
    while True:
        if reading.skip("*"):
            every_tag = True
        elif reading.skip("TIME", "("):
            windows = _windows(reading)
        else:
            by.append(reading.name())
        if not reading.skip(","):
            return msgspec.structs.replace(select, by=tuple(by), every_tag=every_tag, windows=windows)


def _windows(reading: Reading) -> Windows:
    length_ms, offset_ms = _length_ms(reading), 0
    if reading.skip(","):
        sign = -1 if reading.skip("-") else 1
        offset_ms = sign * _length_ms(reading)
    reading.expect(")")
    if length_ms < 1:
        raise NotUnderstood("windows of less than 1 ms are not understood")
    return Windows(length_ms, offset_ms)


def _length_ms(reading: Reading) -> int:
    if not reading.stands(Kind.DURATION):
        raise reading.wrong("a duration")
    return int(duration_ms(reading.take().text))


def _filled(reading: Reading, select: Select) -> Select:
    if not reading.skip("FILL", "("):
        return select
    windows = select.windows or Windows(1)
    if reading.next.word in (Fill.NULL.upper(), Fill.NONE.upper(), Fill.PREVIOUS.upper()):
        windows = msgspec.structs.replace(windows, fill=Fill(reading.name().lower()))
    elif reading.stands(Kind.NAME):
        raise NotUnderstood(f"fill({reading.next.text}) is not understood (known: null, none, previous, a number)")
    else:
        windows = msgspec.structs.replace(windows, fill=Fill.NUMBER, number=reading.number())
    reading.expect(")")
    return select if select.windows is None else msgspec.structs.replace(select, windows=windows)


def _ordered(reading: Reading, select: Select) -> Select:
    descending = False
    if reading.skip("ORDER", "BY"):
        if reading.next.text.lower() != "time":
            raise NotUnderstood("only ORDER BY time is understood")
        reading.take()
        descending = reading.skip("DESC")
        reading.skip("ASC")
    limit = _limit(reading)
    if reading.next.word in _ENDINGS:
        raise NotUnderstood(f"{reading.next.word} is not understood here")
    return msgspec.structs.replace(select, descending=descending, limit=limit)


def _limit(reading: Reading) -> int:
    return int(reading.number()) if reading.skip("LIMIT") else 0


def _show(reading: Reading, now_ms: int) -> Show:
    for subject in Subject:
        if reading.skip(*subject.value.upper().split()):
            return _shown(reading, subject, now_ms)
    raise reading.wrong(", ".join(subject.upper() for subject in Subject))


def _shown(reading: Reading, subject: Subject, now_ms: int) -> Show:
    if reading.skip("ON"):
        reading.name()
    measurement, pattern = "", None
    if reading.skip("WITH", "MEASUREMENT"):
        if reading.skip("=~"):
            pattern = reading.pattern()
        else:
            reading.expect("=")
            measurement = reading.name()
    elif reading.skip("FROM"):
        measurement = _measurement(reading)
    keys = _keys(reading) if subject is Subject.TAG_VALUES else ()
    where: Where = read_where(reading, now_ms)
    return Show(
        subject=subject, measurement=measurement, pattern=pattern, keys=keys, where=where.condition, span=where.span,
        limit=_limit(reading),
    )  # fmt: skip


def _keys(reading: Reading) -> tuple[str, ...]:
    """WITH KEY = "home", or WITH KEY IN ("home", "furnace")."""
    if not reading.skip("WITH", "KEY"):
        raise reading.wrong("WITH KEY")
    if reading.skip("="):
        return (reading.name(),)
    if not reading.skip("IN", "("):
        raise reading.wrong("= or IN")
    keys = [reading.name()]
    while reading.skip(","):
        keys.append(reading.name())
    reading.expect(")")
    return tuple(keys)
