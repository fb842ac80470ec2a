"""How the things of a report are named and its figures written, in one language. Pure."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from edge_agent.wire.quantity import quantities
from ingest_service.emissions.rounding import decimals, half_even
from ingest_service.emissions.vocabulary import Bound
from ingest_service.reports.cells import Cell, Figure, Flag, Moment
from ingest_service.reports.model import LimitLine, Subject
from ingest_service.reports.words import Words
from ingest_service.store.rows import FurnaceRow, HomeRow

SIGNS = {Bound.AT_MOST: "≤", Bound.BELOW: "<", Bound.AT_LEAST: "≥"}
UNITS = {"mg/m3": "mg/m³", "ug/m3": "µg/m³"}
_FINER = 10.0  # means are told one digit finer than their limit is written, so that 30.4 is seen to be over 30


class Telling(msgspec.Struct, frozen=True):
    """The texts of one language, and the zone of its times."""

    words: Words
    zone: ZoneInfo

    def columns(self, names: str) -> tuple[str, ...]:
        """The heads of columns that are named one after the other."""
        return tuple(self.words(f"column.{name}") for name in names.split())

    def pollutant(self, key: str) -> str:
        """A pollutant's name."""
        known = quantities().get(key)
        return self.words.either(known.zh, known.en, key) if known else key

    def furnace(self, furnace: FurnaceRow) -> str:
        """A furnace's name."""
        return self.words.either(furnace.name_zh, furnace.name_en, furnace.name)

    def home(self, home: HomeRow) -> str:
        """A home's name."""
        return self.words.either(home.name_zh, home.name_en, home.id)

    def averaging(self, key: str) -> str:
        """A kind of mean."""
        return self.words.known("averaging", key)

    def limit(self, subject: Subject, bound: str) -> str:
        """A limit with its sign and unit."""
        return f"{SIGNS[Bound(bound)]} {subject.limit:g} {unit(subject.unit)}"

    def reason(self, verdict: str, cause: str) -> str:
        """Why a period is not within or over its limit."""
        word = self.words.known("verdict", verdict)
        return f"{word}{self.words('report.because')}{self.words.known('cause', cause)}" if cause else word

    def verdict(self, line: LimitLine) -> Flag:
        """What a whole span comes to for one limit."""
        if line.exceeded:
            return Flag(self.words("verdict.exceeded"), "over")
        if not line.valid:
            return Flag(self.words("verdict.not_judged"), "doubt")
        return Flag(self.words("verdict.within"), "plain")

    def at(self, at_ms: int) -> datetime:
        """A time in the zone."""
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(self.zone)

    def iso(self, at_ms: int) -> str:
        """A time with its offset: nothing left to guess."""
        at = self.at(at_ms)
        return at.isoformat(timespec="seconds" if at.second else "minutes")


def mean(value: float | None, step: float) -> Figure | None:
    """A mean rounded half to even, one digit finer than its limit is written."""
    return None if value is None else rounded(value, step / _FINER)


def rounded(value: float, step: float) -> Figure:
    """A figure as a multiple of `step`, half to even."""
    return Figure(float(half_even(np.array([value]), step)[0]), decimals(step))


def share(value: float | None) -> Figure | None:
    """A share in percent."""
    return None if value is None else rounded(value, 0.1)


def moment(at_ms: int | None) -> Moment | None:
    """A time, where there is one."""
    return None if at_ms is None else Moment(at_ms)


def unit(name: str) -> str:
    """A unit as people write it."""
    return UNITS.get(name, name)


def per(total: float | None, count: int, step: float) -> Cell:
    """A total shared out over so many."""
    return None if total is None or not count else rounded(total / count, step)
