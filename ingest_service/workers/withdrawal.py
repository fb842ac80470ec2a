"""Takes back verdicts on cremations that late data showed to be none, or to have begun at another time."""

from collections.abc import Sequence

from edge_agent.wire.durations import HOUR_MS
from ingest_service.columns import Int64s
from ingest_service.emissions.averages import OF_CREMATIONS, Averaging
from ingest_service.emissions.limits import Cause, Verdict
from ingest_service.emissions.rulebook import RuleBook
from ingest_service.emissions.vocabulary import Bound
from ingest_service.store.judgements import JudgedBefore, JudgementStore, PeriodJudgement

_OF_ONE = OF_CREMATIONS - {Averaging.SHARE_OF_CREMATIONS}


def withdrawn(
    store: JudgementStore, book: RuleBook, fresh: Sequence[PeriodJudgement], furnace: Int64s, hour_ms: Int64s
) -> list[PeriodJudgement]:
    """Revisions for what stands on cremations in these hours (a row per furnace and hour) but was not found again."""
    if not any(limit.averaging in _OF_ONE for pack in book.packs for limit in pack.judged):
        return []
    found = {_identity(one) for one in fresh}
    asked = set(zip(furnace.tolist(), hour_ms.tolist(), strict=True))
    standing = store.standing(furnace.tolist(), _OF_ONE, int(hour_ms.min()), int(hour_ms.max()) + HOUR_MS)
    gone = (one for one in standing if _identity(one) not in found and _touches(one, asked))
    return [_taken_back(one, book) for one in gone if one.verdict != Verdict.NOT_JUDGED.label]


def _identity(one: PeriodJudgement | JudgedBefore) -> tuple[int, str, str, str, int]:
    return one.furnace_id, one.rule, one.pollutant, one.averaging, one.start_ms


def _touches(one: JudgedBefore, asked: set[tuple[int, int]]) -> bool:
    first_ms = one.start_ms // HOUR_MS * HOUR_MS
    return any((one.furnace_id, hour) in asked for hour in range(first_ms, one.end_ms, HOUR_MS))


def _taken_back(one: JudgedBefore, book: RuleBook) -> PeriodJudgement:
    pack = next((pack for pack in book.packs if pack.key == one.rule), None)
    limit = pack.limit_of(one.pollutant, one.averaging) if pack else None
    return PeriodJudgement(
        furnace_id=one.furnace_id,
        rule=one.rule,
        pollutant=one.pollutant,
        averaging=one.averaging,
        bound=limit.bound if limit else Bound.AT_MOST,
        start_ms=one.start_ms,
        end_ms=one.end_ms,
        mean=None,
        peak=None,
        limit=one.limit,
        unit=one.unit,
        clause=limit.clause_en if limit else "",
        valid_minutes=0,
        verdict=Verdict.NOT_JUDGED,
        cause=Cause.NO_CREMATION.label,
    )
