"""What goes into the judging of averaging periods, and what comes out: columns and codes."""

from enum import IntEnum, unique

import msgspec

from ingest_service.columns import Bools, Float64s, Int64s


class _Labelled(IntEnum):
    @property
    def label(self) -> str:
        """The name that is stored and that readers see, e.g. `not_judged`."""
        return self.name.lower()


@unique
class Verdict(_Labelled):
    """What became of a period."""

    WITHIN = 0
    EXCEEDED = 1
    INVALID = 2  # too few valid minutes
    NOT_JUDGED = 3  # nothing to judge, or no way to


@unique
class Cause(_Labelled):
    """Why a period is not within or over its limit."""

    NONE = 0
    # not judged
    NO_CHANNEL = 1
    NO_BASIS = 2
    NO_O2 = 3
    NO_MOISTURE = 4
    NO_STACK_STATE = 5
    NO_BAROMETRIC_PRESSURE = 6
    NOT_OPERATING = 7
    # invalid: what took most minutes away
    FEW_OPERATING_MINUTES = 8
    MISSING_VALUES = 9
    MISSING_O2 = 10
    MISSING_MOISTURE = 11
    MISSING_STACK_STATE = 12
    O2_TOO_HIGH = 13
    MARKED = 14
    FEW_VALID_HOURS = 15
    FEW_VALID_DAYS = 16
    # not judged
    UNKNOWN_UNIT = 17
    NO_CREMATION = 18  # a cremation that was judged turned out to be none, or to have begun at another time


@unique
class Basis(IntEnum):
    """To which gas a concentration refers, as the wire contract names it."""

    UNKNOWN = 0
    DRY_STANDARD = 1
    WET_STANDARD = 2
    WET_ACTUAL = 3


class Signal(msgspec.Struct, frozen=True):
    """Minutes of one quantity: `minutes` (rows, 60), NaN where not valid; `present` (rows) where the furnace has it."""

    minutes: Float64s
    present: Bools


class HourRows(msgspec.Struct, frozen=True):
    """The minutes of what is judged and of what it is converted with: a row per (furnace, hour), sorted so.

    `concentration` (what is judged, also where it is none) is in the computing unit of its quantity, O2 in % vol.
    `basis` (rows) holds `Basis` codes; `o2_is_wet` (rows) says where O2 is that of wet gas; `unit_known` (rows) where
    the unit of the channel could be converted. `excluded` and `marked` (rows, 60) are minutes that the rule leaves out:
    for their phase, and for what an operator marked.
    """

    concentration: Signal
    basis: Int64s
    unit_known: Bools
    o2: Signal
    o2_is_wet: Bools
    moisture: Signal
    stack_temperature: Signal
    stack_pressure: Signal
    excluded: Bools
    marked: Bools


class Verdicts(msgspec.Struct, frozen=True):
    """What was found, a row per period: codes of `Verdict` and `Cause`.

    `mean` and `peak` (the worst minute) are of the valid minutes, converted, in the limit's unit; NaN where no minute
    was valid. Whether the mean counts is what the verdict says.
    """

    mean: Float64s
    peak: Float64s
    valid_minutes: Int64s
    verdict: Int64s
    cause: Int64s
