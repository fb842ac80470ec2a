"""The running hour so far, per furnace and pollutant: what the page shows before anything is judged."""

import msgspec

from ingest_service.emissions.units import LimitUnit, Pollutant


class Preview(msgspec.Struct, frozen=True):
    """The mean so far of the hour that began at `start_ms`, computed from minutes that ended by `until_ms`.

    `mean` (converted: dry, standard state, reference oxygen), `peak` (highest minute) and `limit` are in `unit`; both
    are None while no minute is valid. `cause` says why there is no mean (a label of `limits.Cause`), else "".
    `forecast_mean` is the hour's mean if the rest of it is like the last minutes; `exceeds_at_ms` is when, at this
    rate, the hour will be over its limit even if nothing more comes. None: no forecast.
    """

    furnace_id: int
    rule: str
    pollutant: Pollutant
    start_ms: int
    until_ms: int
    mean: float | None
    peak: float | None
    limit: float
    unit: LimitUnit
    valid_minutes: int
    valid_minutes_needed: int
    cause: str
    forecast_mean: float | None = None
    exceeds_at_ms: int | None = None
