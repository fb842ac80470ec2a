"""What cremations teach of their furnaces, in the relational database; and the cremations that have yet to teach."""

from collections.abc import Collection, Iterable
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Engine, delete, func, insert, or_, select
from sqlalchemy.orm import Session

from ingest_service.alarms.vocabulary import LATCHES, Kind, Latch
from ingest_service.anomaly.baseline import KEPT_AS, LAYOUT, SHAPE, HeldBack
from ingest_service.columns import Float64s
from ingest_service.emissions.averages import OF_ONE_CREMATION, WIDTHS, Averaging
from ingest_service.store.alarm_tables import Alarm
from ingest_service.store.cycle_tables import Cremation
from ingest_service.store.cycle_tables import Lesson as LessonTable
from ingest_service.store.judged_tables import Exceedance
from ingest_service.store.transaction import transaction

_FOREVER_MS = np.iinfo(np.int64).max
# An alarm that waits for a person says when it was answered, not when it was over: exceedances tell that themselves.
_SHORT = [one.value for one in (*WIDTHS, Averaging.ROLLING_HOUR, *OF_ONE_CREMATION)]  # a bad month is no bad cremation
_KINDS = [kind.value for kind in Kind if LATCHES[kind] is Latch.NONE and kind is not Kind.UNUSUAL]


class Finished(msgspec.Struct, frozen=True):
    """One revision of a cremation, row `id`: when its phases began (ms since 1970 UTC), None where not seen."""

    id: int
    furnace_id: int
    case_number: str
    charge_ms: int
    ignition_ms: int | None
    main_ms: int | None
    burnout_ms: int | None
    cooling_ms: int | None
    end_ms: int
    withdrawn: bool


class Lesson(msgspec.Struct, frozen=True):
    """What the cremation of row `cremation_id` teaches: `minutes` (quantities, cells).

    `held_back` is what of the cremation itself holds it back: marks and alarms may come and go later.
    """

    furnace_id: int
    case_number: str
    cremation_id: int
    charge_ms: int
    end_ms: int
    held_back: HeldBack
    minutes: Float64s


class Trouble(msgspec.Struct, frozen=True):
    """A furnace was in an alarm, or beyond a limit, in `[start_ms, end_ms)`."""

    furnace_id: int
    start_ms: int
    end_ms: int


class LessonStore:
    """One writer. Raises StoreError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def seen(self) -> int:
        """The last row of a cremation that was looked at; 0 for none."""
        with transaction(self._engine) as session:
            return session.scalar(select(func.max(LessonTable.cremation_id))) or 0

    def finished_since(self, seen: int, from_ms: int, limit: int) -> list[Finished]:
        """At most `limit` revisions of cremations, charged from `from_ms` on, that were recorded after row `seen`."""
        query = select(*(getattr(Cremation, name) for name in Finished.__struct_fields__))
        query = query.where(Cremation.id > seen, Cremation.charge_ms >= from_ms).order_by(Cremation.id).limit(limit)
        with transaction(self._engine) as session:
            return [Finished(**row) for row in session.execute(query).mappings()]

    def put(self, lesson: Lesson, needed_from_ms: int) -> None:
        """In the place of what that cremation taught before; lessons charged before that time are needed no more."""
        older = LessonTable.furnace_id == lesson.furnace_id, LessonTable.charge_ms < needed_from_ms
        with transaction(self._engine) as session:
            session.execute(delete(LessonTable).where(*older))
            _take_away(session, lesson.furnace_id, lesson.case_number)
            values = msgspec.structs.asdict(lesson)
            values |= {"held_back": lesson.held_back.value, "layout": LAYOUT}
            values["minutes"] = lesson.minutes.astype(KEPT_AS).tobytes()
            session.execute(insert(LessonTable).values(values))

    def forget(self, furnace_id: int, case_number: str) -> None:
        """A cremation that was none after all teaches nothing."""
        with transaction(self._engine) as session:
            _take_away(session, furnace_id, case_number)

    def of_furnaces(self, furnace_ids: Collection[int]) -> dict[int, list[Lesson]]:
        """The lessons of each of these furnaces, oldest first; what another layout holds is none."""
        columns = (getattr(LessonTable, name) for name in Lesson.__struct_fields__)
        own = LessonTable.furnace_id.in_(list(furnace_ids)), LessonTable.layout == LAYOUT
        query = select(*columns).where(*own).order_by(LessonTable.furnace_id, LessonTable.charge_ms)
        with transaction(self._engine) as session:
            return _by_furnace(furnace_ids, (_lesson(dict(row)) for row in session.execute(query).mappings()))

    def troubles(self, furnace_ids: Collection[int], from_ms: int) -> list[Trouble]:
        """When these furnaces were in an alarm or beyond a limit, as far as it lasted beyond `from_ms`.

        What is unusual is no trouble of this kind: it is what a lesson itself is judged by.
        """
        lasted = or_(Alarm.cleared_at_ms.is_(None), Alarm.cleared_at_ms > from_ms)
        alarms = select(Alarm.furnace_id, Alarm.raised_at_ms, Alarm.cleared_at_ms).where(
            Alarm.furnace_id.in_(list(furnace_ids)), Alarm.kind.in_(_KINDS), lasted
        )
        over = select(Exceedance.furnace_id, Exceedance.start_ms, Exceedance.end_ms).where(
            Exceedance.furnace_id.in_(list(furnace_ids)), Exceedance.averaging.in_(_SHORT), Exceedance.end_ms > from_ms
        )
        with transaction(self._engine) as session:
            rows: list[Any] = [row for query in (alarms, over) for row in session.execute(query)]
        return [Trouble(furnace, start, _FOREVER_MS if end is None else end) for furnace, start, end in rows]


def _take_away(session: Session, furnace_id: int, case_number: str) -> None:
    own = LessonTable.furnace_id == furnace_id, LessonTable.case_number == case_number
    session.execute(delete(LessonTable).where(*own))


def _lesson(row: dict[str, Any]) -> Lesson:
    table = np.frombuffer(row["minutes"], KEPT_AS).astype(np.float64).reshape(SHAPE)
    return Lesson(**row | {"held_back": HeldBack(row["held_back"]), "minutes": table})


def _by_furnace(furnace_ids: Collection[int], lessons: Iterable[Lesson]) -> dict[int, list[Lesson]]:
    found: dict[int, list[Lesson]] = {furnace_id: [] for furnace_id in furnace_ids}
    for lesson in lessons:
        found[lesson.furnace_id].append(lesson)
    return found
