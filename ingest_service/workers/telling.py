"""What the alarms are told of exceedances: which last, which are over, and what is normal. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from edge_agent.wire.durations import HOUR_MS
from ingest_service.alarms.lifecycle import Condition, Normal
from ingest_service.emissions.averages import WIDTHS, Averaging
from ingest_service.emissions.pack import Limit, RulePack
from ingest_service.emissions.periods import local
from ingest_service.emissions.rulebook import governing
from ingest_service.store.channels import Channels
from ingest_service.store.exceedances import ExceedanceRow
from ingest_service.store.judgements import LastPeriod
from ingest_service.workers import conditions
from ingest_service.workers.verdicts import Site

LASTS_MS = 3 * HOUR_MS  # an exceedance is news for so long after its end, unless a later period was judged
FOLLOWING = frozenset({*WIDTHS, Averaging.ROLLING_HOUR})  # their periods follow each other without a break

Newest = Mapping[tuple[int, Averaging], LastPeriod]


class Observed(msgspec.Struct, frozen=True):
    """What is known at a moment; `newest` is the newest judged period of every furnace and averaging."""

    newest: Newest
    site: Site
    channels: Channels
    now_ms: int


def observations(
    recent: Iterable[ExceedanceRow], changed: Iterable[ExceedanceRow], seen: Observed
) -> list[Condition | Normal]:
    """Everything that is to be settled: `recent` exceedances as far as they last, `changed` ones that are over."""
    lasting = [_condition(row, seen, None) for row in recent if lasts(row, seen)]
    over = [_condition(row, seen, row.end_ms) for row in changed if not lasts(row, seen)]
    known = [one for one in lasting if one is not None]
    keys = {one.key for one in known}
    return [*(one for one in over if one is not None), *known, *_normal(keys, seen)]


def lasts(row: ExceedanceRow, seen: Observed) -> bool:
    """True while the newest judged period of the furnace is part of the run, and not long ago."""
    newest = seen.newest.get((row.furnace_id, row.averaging))
    return newest is not None and row.end_ms >= newest.end_ms > seen.now_ms - LASTS_MS


def _condition(row: ExceedanceRow, seen: Observed, ends_ms: int | None) -> Condition | None:
    """The row as a condition, as far as its limit is still in the book and no stricter one governs in its place.

    A furnace that has no channel any more is in no condition.
    """
    if row.furnace_id not in seen.channels.furnaces:
        return None
    place = seen.channels.of_furnace(row.furnace_id)
    day = local(row.start_ms, seen.site.zone).date()
    for pack, limit in governing(seen.site.book.of(place.home_id, place.furnace), day):
        if (pack.key, limit.pollutant, limit.averaging) == (row.rule, row.pollutant, row.averaging):
            return conditions.exceedance(row, pack, limit, place, ends_ms)
    return None


def _normal(lasting: set[str], seen: Observed) -> Iterator[Normal]:
    """Every other subject is normal since its newest judged period began (or ended, where periods are apart)."""
    for (furnace_id, averaging), newest in seen.newest.items():
        since_ms = newest.start_ms if averaging in FOLLOWING else newest.end_ms
        for pack, limit in _limits(seen, averaging):
            key = conditions.exceedance_key(furnace_id, pack, limit)
            if key not in lasting:
                yield Normal(key, since_ms)


def _limits(seen: Observed, averaging: Averaging) -> Sequence[tuple[RulePack, Limit]]:
    packs = seen.site.book.packs
    return [(pack, limit) for pack in packs for limit in pack.judged if limit.averaging is averaging]
