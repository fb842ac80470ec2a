"""What was judged as exceeded once and is no longer: told beside the exceedances, so that no mark hides one. Pure."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from ingest_service.emissions.limits import Verdict
from ingest_service.store.trends import JudgedPeriod


class Overturned(msgspec.Struct, frozen=True):
    """A period as it was last judged exceeded, and as it is judged now; `now` says for which reason."""

    before: JudgedPeriod
    now: JudgedPeriod


def overturned(records: Sequence[JudgedPeriod]) -> Iterator[Overturned]:
    """Of all records of some periods, by period and revision: those that exceeded a limit and no longer do."""
    for _, run in groupby(records, key=_period):
        told = list(run)
        over = [one for one in told if one.verdict == Verdict.EXCEEDED.label]
        if over and over[-1] is not told[-1]:
            yield Overturned(over[-1], told[-1])


def _period(record: JudgedPeriod) -> tuple[int, str, str, str, int]:
    return record.furnace_id, record.rule, record.pollutant, record.averaging, record.start_ms
