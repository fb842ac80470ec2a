"""Derived series in VictoriaMetrics, which replaces nothing: a revision stands a millisecond after the one before.

The first stands a millisecond after its time: windows leave their beginning out. What is read is the latest of each
second. An event's texts are labels; before it is written again, what it was goes.
"""

import time
from collections.abc import Collection, Mapping, Sequence

import msgspec

from edge_agent.wire.durations import SECOND_MS
from ingest_service.config import Retention
from ingest_service.store.derived.lines import AT, at_label, lines_of_numbers
from ingest_service.store.derived.point import Admits, DerivedColumn, Point, Tags, column_of
from ingest_service.store.remote.connection import Address, Connection
from ingest_service.store.remote.names import fit
from ingest_service.store.victoria import promql
from ingest_service.store.victoria.engine import SETTLES_S

TEXTS = ("text_en", "text_zh", "title_en", "title_zh")
_LINES_AT_ONCE = 20_000
Key = tuple[str, Tags, int]  # measurement, tags, time


class Written(msgspec.Struct, kw_only=True):
    """What a point says, in which revision (0 for none); `at_s` is when we wrote it (s of a clock that never jumps)."""

    revision: int = 0
    said: dict[str, float | str] = {}
    at_s: float = 0.0


_NOTHING = Written()


class VictoriaDerived:
    """Of one server or cluster: lines go to the address, questions to `read_url`."""

    def __init__(self, address: Address, read_url: str) -> None:
        self._writing = Connection(address)
        self._reading = Connection(msgspec.structs.replace(address, url=read_url))
        self._written: dict[Key, Written] = {}  # what the server may not show yet

    def write(self, points: Sequence[Point]) -> None:
        """Put each in the place of what there is of its measurement, tags and time."""
        self._forget()
        for measurement in sorted({point.measurement for point in points}):
            own = [point for point in points if point.measurement == measurement]
            revised = self._revised(measurement, own)
            for start in range(0, len(revised), _LINES_AT_ONCE):
                self._writing.write_v2("-", lines_of_numbers(revised[start : start + _LINES_AT_ONCE]))

    def read(
        self,
        measurement: str,
        admits: Admits,
        from_ms: int,
        to_ms: int,
        fields: Collection[str] | None = None,
        where: Tags = (),
    ) -> list[DerivedColumn]:
        """The columns of these fields (all, where None) in `from_ms <= time < to_ms` whose tags are admitted."""
        latest: dict[tuple[Tags, str], dict[int, float]] = {}
        said: dict[tuple[Tags, str], dict[int, str]] = {}
        for one in self._export(measurement, from_ms, to_ms, where):
            field = one.metric["__name__"].removeprefix(f"{measurement}_")
            tags = _tags(one.metric)
            if admits(dict(tags)):
                pairs = [
                    (at // SECOND_MS * SECOND_MS, value) for at, value in zip(one.timestamps, one.values, strict=True)
                ]
                latest.setdefault((tags, field), {}).update((at, value) for at, value in pairs if value is not None)
                for name in TEXTS:
                    if name in one.metric:
                        said.setdefault((tags, name), {}).update((at, one.metric[name]) for at, _ in pairs)
        numbers = [column_of(*key, *zip(*sorted(rows.items()), strict=True)) for key, rows in latest.items() if rows]
        texts = [column_of(*key, *zip(*sorted(rows.items()), strict=True)) for key, rows in said.items()]
        return [one for one in (*numbers, *texts) if fields is None or one.field in fields]

    def retire(self, retention: Retention, now_ms: int) -> None:
        """The server does it: a flag says for how long."""

    def close(self) -> None:
        """Let go of the connections."""
        self._writing.close()
        self._reading.close()

    def _revised(self, measurement: str, points: Sequence[Point]) -> list[Point]:
        """Those that say something new, at times at which they are found first."""
        from_ms, to_ms = min(one.at_ms for one in points), max(one.at_ms for one in points) + SECOND_MS
        known, found = self._known(measurement, from_ms, to_ms, _common(points)), []
        for point in points:
            key = (measurement, point.tags, point.at_ms // SECOND_MS * SECOND_MS)
            standing = max(known.get(key, _NOTHING), self._written.get(key, _NOTHING), key=lambda one: one.revision)
            said: dict[str, float | str] = {**dict(point.fields), **dict(point.texts)}
            if standing.said == said:
                continue
            if standing.revision and point.texts:
                self._take_away(point)
            revision = min(standing.revision + 1, SECOND_MS - 1)
            self._written[key] = Written(revision=revision, said=said, at_s=time.monotonic())
            found.append(msgspec.structs.replace(point, at_ms=key[2] + revision))
        return found

    def _known(self, measurement: str, from_ms: int, to_ms: int, where: Tags) -> dict[Key, "Written"]:
        """What the server has of the points of a span."""
        known: dict[Key, Written] = {}
        for one in self._export(measurement, from_ms // SECOND_MS * SECOND_MS, to_ms, where):
            field, tags = one.metric["__name__"].removeprefix(f"{measurement}_"), _tags(one.metric)
            texts = {name: one.metric[name] for name in TEXTS if name in one.metric}
            for at, value in zip(one.timestamps, one.values, strict=True):
                key, revision = (measurement, tags, at // SECOND_MS * SECOND_MS), at % SECOND_MS
                standing = known.setdefault(key, Written(revision=revision))
                if revision > standing.revision:
                    standing.revision, standing.said = revision, {}
                if revision == standing.revision and value is not None:
                    standing.said |= {field: value, **texts}
        return known

    def _take_away(self, point: Point) -> None:
        """What an event said before: its series, which are no other event's."""
        labels = ",".join(f"{name}={promql.literal(value)}" for name, value in (*point.tags, (AT, at_label(point))))
        selector = f'{{__name__=~"{point.measurement}_.*",{labels}}}'
        self._writing.post_form("/api/v1/admin/tsdb/delete_series", [("match[]", selector)])

    def _export(self, measurement: str, from_ms: int, to_ms: int, where: Tags) -> list[promql.Exported]:
        labels = [f"{name}={promql.literal(fit(value))}" for name, value in where]
        form = [("match[]", "{" + ",".join([f'__name__=~"{measurement}_.+"', *labels]) + "}")]
        form += [("start", f"{from_ms / 1000:.3f}"), ("end", f"{(to_ms - 1) / 1000:.3f}")]
        return list(promql.exported(self._reading.post_form("/api/v1/export", form)))

    def _forget(self) -> None:
        before_s = time.monotonic() - 2 * SETTLES_S
        self._written = {key: one for key, one in self._written.items() if one.at_s > before_s}


def _common(points: Sequence[Point]) -> Tags:
    """The tags of points that are all of one set of tags: then only these need be asked for."""
    found = {point.tags for point in points}
    return found.pop() if len(found) == 1 else ()


def _tags(metric: Mapping[str, str]) -> Tags:
    return tuple(sorted((name, value) for name, value in metric.items() if name not in ("__name__", AT, *TEXTS)))
