"""From what was judged and found to what alarms are about: conditions with their facts. Pure."""

from collections.abc import Iterable, Sequence

from edge_agent.wire.quantity import quantities
from edge_agent.wire.sample import Reason
from ingest_service.alarms.facts import DeviceBadFacts, ExceedanceFacts, Name, ShortfallFacts, SilentFacts, StuckFacts
from ingest_service.alarms.lifecycle import Condition, Place
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.pack import Limit, RulePack
from ingest_service.emissions.vocabulary import Bound
from ingest_service.intake.edge_view import EdgeView
from ingest_service.store.channels import ChannelRow
from ingest_service.store.exceedances import ExceedanceRow

_STUCK = "stuck_value:"


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


def stuck_key(series_id: int) -> str:
    """One alarm a series."""
    return f"{_STUCK}{series_id}"


def stuck_series(keys: Iterable[str]) -> list[int]:
    """The series of those keys that are of stuck values."""
    return [int(key.removeprefix(_STUCK)) for key in keys if key.startswith(_STUCK) and key[len(_STUCK) :].isdigit()]


def stuck(place: ChannelRow, value: float, since_ms: int, held_s: float, threshold_s: float) -> Condition:
    """An analyser that has shown `value` since `since_ms`."""
    name = Name(place.name_zh, place.name_en)
    facts = StuckFacts(_home(place), _furnace(place), name, value, place.unit, held_s, threshold_s, since_ms)
    where = Place(place.home_id, place.furnace_id, place.series_id)
    return Condition(stuck_key(place.series_id), where, facts, since_ms)


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


def _home(place: ChannelRow) -> Name:
    return Name(place.home_zh, place.home_en)


def _furnace(place: ChannelRow) -> Name:
    return Name(place.furnace_zh, place.furnace_en)
