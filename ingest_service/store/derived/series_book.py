"""The numbers by which the embedded file knows series: in memory, found by measurement, tags and field."""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from ingest_service.store.derived.point import Admits, Tags


class DerivedSeries(msgspec.Struct, frozen=True):
    """What tells one column from all others."""

    measurement: str
    field: str
    tags: Tags


class SeriesBook:
    """Not thread-safe: its owner holds a lock."""

    def __init__(self, known: Mapping[DerivedSeries, int]) -> None:
        self._id_of: dict[DerivedSeries, int] = {}
        self._by_tags: dict[str, dict[Tags, list[int]]] = {}
        self._series: dict[int, DerivedSeries] = {}
        self._highest = 0
        self.add(known)

    def new(self, wanted: Iterable[DerivedSeries]) -> dict[DerivedSeries, int]:
        """Numbers for those that have none yet."""
        fresh = sorted({one for one in wanted if one not in self._id_of}, key=msgspec.structs.astuple)
        return {series: number for number, series in enumerate(fresh, self._highest + 1)}

    def add(self, fresh: Mapping[DerivedSeries, int]) -> None:
        """Know these."""
        self._id_of |= fresh
        for series, number in fresh.items():
            self._series[number] = series
            self._by_tags.setdefault(series.measurement, {}).setdefault(series.tags, []).append(number)
            self._highest = max(self._highest, number)

    def number(self, series: DerivedSeries) -> int:
        """Its number; KeyError where it has none."""
        return self._id_of[series]

    def found(self, measurement: str, admits: Admits, fields: Collection[str] | None) -> dict[int, DerivedSeries]:
        """The series of these fields whose tags are admitted, by number."""
        found: dict[int, DerivedSeries] = {}
        for tags, numbers in self._by_tags.get(measurement, {}).items():
            if admits(dict(tags)):
                found |= {
                    one: self._series[one] for one in numbers if fields is None or self._series[one].field in fields
                }
        return found
