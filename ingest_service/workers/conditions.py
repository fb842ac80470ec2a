"""From what was judged and found to what alarms are about: conditions with their facts. Pure."""

from collections.abc import Iterable, Sequence

from edge_agent.wire.quantity import quantities
from edge_agent.wire.sample import Reason
from ingest_service.alarms.facts import (
    DeviceBadFacts,
    ExceedanceFacts,
    Facts,
    Name,
    ShortfallFacts,
    SilentFacts,
    StuckFacts,
    UnusualFacts,
)
from ingest_service.alarms.lifecycle import Condition, Place
from ingest_service.alarms.vocabulary import Kind
from ingest_service.anomaly.course import PHASE_OF
from ingest_service.anomaly.unusual import IN_A_ROW
from ingest_service.anomaly.window import Findings, UnusualFindings
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.pack import Limit, RulePack
from ingest_service.emissions.vocabulary import Bound
from ingest_service.intake.edge_view import EdgeView
from ingest_service.store.channels import ChannelRow
from ingest_service.store.exceedances import ExceedanceRow


def exceedance_key(furnace_id: int, pack: RulePack, limit: Limit) -> str:
    """One alarm a furnace, legal text (whatever its version), pollutant and averaging (a clock hour is not named)."""
    over = "" if limit.averaging is Averaging.CLOCK_HOUR else f":{limit.averaging}"
    return f"exceedance:{furnace_id}:{pack.id}:{limit.pollutant}{over}"


def exceedance(row: ExceedanceRow, pack: RulePack, limit: Limit, place: ChannelRow, ends_ms: int | None) -> Condition:
    """A run of periods beyond the limit; `ends_ms` is None while the newest judged period is one of them."""
    facts = _shortfall(row, limit, place) if row.bound is Bound.AT_LEAST else _exceedance(row, pack, limit, place)
    key = exceedance_key(row.furnace_id, pack, limit)
    return Condition(key, Place(place.home_id, row.furnace_id), facts, row.start_ms, ends_ms)


def _exceedance(row: ExceedanceRow, pack: RulePack, limit: Limit, place: ChannelRow) -> ExceedanceFacts:
    return ExceedanceFacts(
        home=_home(place),
        furnace=_furnace(place),
        pollutant=_quantity(row),
        mean=row.mean,
        peak=row.peak,
        limit=row.limit,
        unit=row.unit,
        reference_o2_pct=pack.reference_o2_pct if limit.pollutant.is_concentration else None,
        start_ms=row.start_ms,
        end_ms=row.end_ms,
        rule=row.rule,
        clause=Name(limit.clause_zh, limit.clause_en),
        averaging=row.averaging,
    )


def _shortfall(row: ExceedanceRow, limit: Limit, place: ChannelRow) -> ShortfallFacts:
    return ShortfallFacts(
        home=_home(place),
        furnace=_furnace(place),
        quantity=_quantity(row),
        mean=row.mean,
        lowest=row.peak,
        limit=row.limit,
        unit=row.unit,
        start_ms=row.start_ms,
        end_ms=row.end_ms,
        rule=row.rule,
        clause=Name(limit.clause_zh, limit.clause_en),
        averaging=row.averaging,
    )


def _quantity(row: ExceedanceRow) -> Name:
    known = quantities()[row.pollutant]
    return Name(known.zh, known.en)


def series_key(kind: Kind, series_id: int) -> str:
    """One alarm a kind and series."""
    return f"{kind.value}:{series_id}"


def series_of_keys(kind: Kind, keys: Iterable[str]) -> list[int]:
    """The series of those keys that are of such alarms."""
    head = f"{kind.value}:"
    return [int(key.removeprefix(head)) for key in keys if key.startswith(head) and key[len(head) :].isdigit()]


def stuck(place: ChannelRow, findings: Findings, at: int) -> Condition:
    """An analyser that has shown the same value for too long."""
    value, held_s, threshold_s = (float(column[at]) for column in (findings.value, findings.score, findings.threshold))
    since_ms = int(findings.since_ms[at])
    facts = StuckFacts(_home(place), _furnace(place), _channel(place), value, place.unit, held_s, threshold_s, since_ms)
    return _of_series(Kind.STUCK_VALUE, place, facts, since_ms)


def unusual(place: ChannelRow, findings: Findings, at: int) -> Condition:
    """A quantity outside what its furnace usually shows. Findings must be those of the detector of it."""
    if not isinstance(findings, UnusualFindings):
        raise TypeError(f"findings of {findings.detector} do not say what was expected")
    facts = UnusualFacts(
        home=_home(place),
        furnace=_furnace(place),
        channel=_channel(place),
        phase=PHASE_OF[int(findings.cell[at])],
        value=round(float(findings.value[at]), 2),
        low=round(float(findings.low[at]), 2),
        high=round(float(findings.high[at]), 2),
        unit=place.unit,
        minutes=IN_A_ROW,
        score=float(findings.score[at]),
        threshold=float(findings.threshold[at]),
        since_ms=int(findings.since_ms[at]),
    )
    return _of_series(Kind.UNUSUAL, place, facts, facts.since_ms)


def silent_key(edge: EdgeView) -> str:
    """One alarm an edge."""
    return f"edge_silent:{edge.home}:{edge.edge}"


def silent(edge: EdgeView, home: Name, silent_after_s: float) -> Condition:
    """An edge that has said nothing for longer than it may."""
    facts = SilentFacts(home, edge.edge, edge.last_seen_ms, silent_after_s)
    return Condition(silent_key(edge), Place(edge.home), facts, edge.last_seen_ms)


def device_key(source_id: int) -> str:
    """One alarm a device."""
    return f"device_bad:{source_id}"


def device_bad(place: ChannelRow, reasons: Sequence[int], since_ms: int) -> Condition:
    """A device whose channels are all bad, one code of `wire.Reason` each."""
    commonest = max(sorted(set(reasons)), key=list(reasons).count)
    facts = DeviceBadFacts(
        home=_home(place),
        furnace=_furnace(place),
        device=place.device,
        reason=next((reason.label for reason in Reason if reason == commonest), Reason.BAD.label),
        channels=len(reasons),
        since_ms=since_ms,
    )
    return Condition(device_key(place.source_id), Place(place.home_id, place.furnace_id), facts, since_ms)


def _of_series(kind: Kind, place: ChannelRow, facts: Facts, since_ms: int) -> Condition:
    where = Place(place.home_id, place.furnace_id, place.series_id)
    return Condition(series_key(kind, place.series_id), where, facts, since_ms)


def _channel(place: ChannelRow) -> Name:
    return Name(place.name_zh, place.name_en)


def _home(place: ChannelRow) -> Name:
    return Name(place.home_zh, place.home_en)


def _furnace(place: ChannelRow) -> Name:
    return Name(place.furnace_zh, place.furnace_en)
