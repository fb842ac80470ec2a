"""The short means of an hour as a calendar tells them: the worst of each limit. Pure."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from ingest_service.api.page.formats import number, unit_text
from ingest_service.api.page.levels import ORDER, Level, level_of
from ingest_service.api.page.texts import Texts
from ingest_service.store.short_periods import ShortPeriods

Subject = tuple[str, str, str]


class ShortLine(msgspec.Struct, frozen=True):
    """What one limit on short means came to in an hour; `words` are "" where there is no mean."""

    level: Level
    words: str


def short_lines(short: Sequence[ShortPeriods], minima: frozenset[Subject], t: Texts) -> list[ShortLine]:
    """A line a limit, of the periods of one hour; `minima` names the limits from below."""
    ordered = sorted(short, key=_subject)
    return [_line(subject, list(own), minima, t) for subject, own in groupby(ordered, key=_subject)]


def _line(subject: Subject, own: Sequence[ShortPeriods], minima: frozenset[Subject], t: Texts) -> ShortLine:
    """The hour is lost to it only where none of its means is valid: short ones are lost one at a time."""
    levels = [level_of(one) for one in own]
    if Level.LOST in levels and Level.WITHIN in levels:
        levels = [level for level in levels if level is not Level.LOST]
    means = list(_means(own))
    words = _words(own[0], min(means) if subject in minima else max(means), t) if means else ""
    return ShortLine(max(levels, key=ORDER.index), words)


def _words(one: ShortPeriods, worst: float, t: Texts) -> str:
    return t(
        "calendar.worst_short",
        averaging=t.known("averaging", one.averaging),
        name=t(f"short.{one.pollutant}"),
        mean=number(worst, one.unit),
        limit=f"{one.limit:g}",
        unit=unit_text(one.unit),
    )


def _means(own: Sequence[ShortPeriods]) -> Iterator[float]:
    return (mean for one in own for mean in (one.lowest, one.highest) if mean is not None)


def _subject(one: ShortPeriods) -> Subject:
    return one.rule, one.pollutant, one.averaging
