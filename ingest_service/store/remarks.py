"""What people say of exceedances: cause and action, only added to; of several the newest holds."""

from collections.abc import Iterable, Sequence
from enum import StrEnum, unique

import msgspec
from sqlalchemy import Engine, select

from ingest_service.audit.entry import Action
from ingest_service.store.audit import AuditTrail
from ingest_service.store.doing import Doing
from ingest_service.store.judged_tables import ExceedanceRemark
from ingest_service.store.overview import Reader, columns
from ingest_service.store.tables import Furnace
from ingest_service.store.transaction import transaction
from ingest_service.store.trends import OverLimit


@unique
class ExceedanceCause(StrEnum):
    """Why a limit was exceeded, in the classes of excess-emission reports (40 CFR 60.7, as state rules repeat it)."""

    STARTUP_OR_SHUTDOWN = "startup_or_shutdown"
    CONTROL_EQUIPMENT = "control_equipment"  # the flue gas treatment
    PROCESS = "process"  # the combustion, the charge
    OTHER_KNOWN = "other_known"
    UNKNOWN = "unknown"


class Answer(msgspec.Struct, frozen=True):
    """What a person fills in."""

    cause: ExceedanceCause
    detail: str
    action: str


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says of the exceedance of one subject in `[start_ms, end_ms)`, ms since 1970 UTC."""

    furnace_id: int
    rule: str
    pollutant: str
    averaging: str
    start_ms: int
    end_ms: int
    cause: str
    detail: str
    action: str
    who: str
    recorded_at_ms: int

    def concerns(self, found: OverLimit) -> bool:
        """True where it was said of that exceedance, or of what it was before late data changed it."""
        mine = (self.furnace_id, self.rule, self.pollutant, self.averaging)
        its = (found.furnace_id, found.rule, found.pollutant, found.averaging)
        return mine == its and self.start_ms < found.end_ms and self.end_ms > found.start_ms


class RemarkLog:
    """Writes remarks, and tells the audit trail of each in the same transaction. Raises StoreError."""

    def __init__(self, engine: Engine, trail: AuditTrail) -> None:
        self._engine, self._trail = engine, trail

    def add(self, found: OverLimit, said: Answer, doing: Doing) -> None:
        """One more on that exceedance."""
        remark = Remark(
            furnace_id=found.furnace_id,
            rule=found.rule,
            pollutant=found.pollutant,
            averaging=found.averaging,
            start_ms=found.start_ms,
            end_ms=found.end_ms,
            cause=said.cause,
            detail=said.detail,
            action=said.action,
            who=doing.who,
            recorded_at_ms=doing.at_ms,
        )
        after = {"pollutant": found.pollutant, "start_ms": found.start_ms, **msgspec.structs.asdict(said)}
        with transaction(self._engine) as session:
            session.add(ExceedanceRemark(**msgspec.structs.asdict(remark)))
            session.flush()
            subject = f"exceedance {found.id}"
            self._trail.append(session, doing.entry(Action.REMARK_ADDED, subject, None, after, found.home_id))


def remarks_on(reader: Reader, furnace_ids: Iterable[int], from_ms: int, to_ms: int) -> list[Remark]:
    """The remarks in sight on exceedances that touch `[from_ms, to_ms)`, oldest first."""
    query = (
        select(*columns(Remark, ExceedanceRemark))
        .join(Furnace, Furnace.id == ExceedanceRemark.furnace_id)
        .where(
            reader.scope.admits(Furnace.home_id),
            ExceedanceRemark.furnace_id.in_(list(furnace_ids)),
            ExceedanceRemark.start_ms < to_ms,
            ExceedanceRemark.end_ms > from_ms,
        )
        .order_by(ExceedanceRemark.id)
    )
    return [Remark(**row) for row in reader.rows(query)]


def newest_on(remarks: Sequence[Remark], found: OverLimit) -> Remark | None:
    """The remark that holds of an exceedance; None where nobody has said anything."""
    return next((one for one in reversed(remarks) if one.concerns(found)), None)
