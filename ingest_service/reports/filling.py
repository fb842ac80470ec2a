"""What rules for missing hours put in their place, over a month: apart from what was measured and judged. Pure."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from ingest_service.columns import Bools
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.pack import RulePack
from ingest_service.emissions.substitution import Label, Substituted, Substitution, substitute
from ingest_service.emissions.units import Pollutant
from ingest_service.reports.model import Filled, FilledGap, Filling, Subject
from ingest_service.reports.statistics import by_subject, is_idle, tally
from ingest_service.store.trends import JudgedPeriod


def filling_of(pack: RulePack) -> Filling:
    """What a pack says of missing hours."""
    if pack.substitution is None:
        return Filling.NO_RULE
    return Filling.IN_FORCE if pack.substitution.enabled and pack.judged else Filling.DISABLED


def filled_of(periods: Sequence[JudgedPeriod], from_ms: int, packs: Sequence[RulePack]) -> tuple[Filled, ...]:
    """Of concentrations by the clock hour whose pack has a rule in force.

    `periods` are those of the quarter up to the month's end; the month begins at `from_ms`.
    """
    rules = {pack.key: pack.substitution for pack in packs if filling_of(pack) is Filling.IN_FORCE}
    hourly = [one for one in periods if one.averaging == Averaging.CLOCK_HOUR and not is_idle(one)]
    found = []
    for subject, due in by_subject(one for one in hourly if Pollutant(one.pollutant).is_concentration):
        rule = rules.get(subject.rule)
        if rule is not None:
            found.append(_filled(subject, due, from_ms, rule))
    return tuple(one for one in found if one.due)


def _filled(subject: Subject, due: Sequence[JudgedPeriod], from_ms: int, rule: Substitution) -> Filled:
    """Only operating hours stand beside each other: a gap may reach over a time without operation."""
    series = substitute(np.array([np.nan if one.mean is None else one.mean for one in due], np.float64), rule)
    mine = np.array([one.start_ms >= from_ms for one in due], np.bool_)
    substituted = mine & (series.label == Label.SUBSTITUTED)
    return Filled(
        subject=subject,
        clause_zh=rule.clause_zh,
        clause_en=rule.clause_en,
        due=int(mine.sum()),
        filled=int(substituted.sum()),
        missing=int((mine & (series.label == Label.MISSING)).sum()),
        capture_pct=tally(due).capture_pct,
        mean=_mean(series, mine & (series.label == Label.MEASURED)),
        mean_with_filled=_mean(series, mine & (series.label != Label.MISSING)),
        gaps=tuple(_gaps(due, series, substituted)),
    )


def _gaps(due: Sequence[JudgedPeriod], series: Substituted, substituted: Bools) -> Iterator[FilledGap]:
    for is_filled, group in groupby(range(len(due)), key=lambda at: bool(substituted[at])):
        if is_filled:
            at = list(group)
            value, of_hours = float(series.value[at[0]]), int(series.of_hours[at[0]])
            yield FilledGap(due[at[0]].start_ms, due[at[-1]].end_ms, len(at), value, of_hours)


def _mean(series: Substituted, which: Bools) -> float | None:
    return float(series.value[which].mean()) if which.any() else None
