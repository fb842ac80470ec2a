"""Whether a furnace may be charged: advice from the secondary chamber's temperature. Nothing is switched by it."""

from enum import StrEnum, unique

import msgspec
import numpy as np

from ingest_service.columns import Float64s
from ingest_service.emissions.pack import Limit, RulePack
from ingest_service.emissions.units import Pollutant
from ingest_service.emissions.vocabulary import Bound

WINDOW_MINUTES = 10  # the newest minutes whose mean is held against the minimum: a choice of this product
NEEDED_MINUTES = 8  # of them valid: the share that is asked of an hour


@unique
class Advice(StrEnum):
    """What the temperature says about a charge now."""

    MAY_CHARGE = "may_charge"
    DO_NOT_CHARGE = "do_not_charge"
    UNKNOWN = "unknown"  # no such channel, or too few valid minutes


class Minimum(msgspec.Struct, frozen=True):
    """The temperature (computing unit, °C) below which a furnace is not to be charged, and who says so."""

    least_c: float
    rule: str
    clause_zh: str
    clause_en: str


class ChargeAdvice(msgspec.Struct, frozen=True):
    """The advice for one furnace at `until_ms`: `mean_c` of the newest minutes, None where too few are valid."""

    furnace_id: int
    until_ms: int
    advice: Advice
    mean_c: float | None
    least_c: float
    rule: str
    clause_zh: str
    clause_en: str


def minimum_of(packs: tuple[RulePack, ...], site_least_c: float | None) -> Minimum | None:
    """The highest minimum of the packs and the site; None where nobody asks for one."""
    asked = [_minimum(pack, limit) for pack in packs for limit in pack.judged if _is_minimum(limit)]
    if site_least_c is not None:
        asked.append(Minimum(site_least_c, "site", "现场设定的进炉温度", "charging temperature set by the site"))
    return max(asked, key=lambda one: one.least_c, default=None)


def advise(minutes: Float64s, least_c: float) -> tuple[Advice, float | None]:
    """Advice from the newest WINDOW_MINUTES minute means of the temperature (°C; NaN where not valid)."""
    valid = minutes[np.isfinite(minutes)]
    if len(valid) < NEEDED_MINUTES:
        return Advice.UNKNOWN, None
    mean = float(valid.mean())
    return Advice.MAY_CHARGE if mean >= least_c else Advice.DO_NOT_CHARGE, mean


def _is_minimum(limit: Limit) -> bool:
    return limit.pollutant is Pollutant.CHAMBER2_TEMPERATURE and limit.bound is Bound.AT_LEAST


def _minimum(pack: RulePack, limit: Limit) -> Minimum:
    least_c = limit.scale.inward(limit.limit)
    return Minimum(least_c, pack.key, limit.interlock_zh or limit.clause_zh, limit.interlock_en or limit.clause_en)
