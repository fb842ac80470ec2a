"""The words of rule packs. Those of averaging are in `averages`, quantities and units in `units`."""

from enum import StrEnum, unique


@unique
class PeriodicPollutant(StrEnum):
    """What a laboratory measures now and then: listed, never judged from a signal."""

    MERCURY = "mercury"
    DIOXINS = "dioxins"
    BLACKNESS = "blackness"
    DUST = "dust"
    TOTAL_CARBON = "total_carbon"


@unique
class PeriodicUnit(StrEnum):
    """The units of laboratory limits."""

    MG_PER_M3 = "mg/m3"
    NG_TEQ_PER_M3 = "ng-TEQ/m3"
    RINGELMANN = "Ringelmann"


@unique
class Phase(StrEnum):
    """The phases of a cremation, named as the wire contract names them."""

    IDLE = "idle"
    PREHEAT = "preheat"
    CHARGE = "charge"
    IGNITION = "ignition"
    MAIN = "main"
    BURNOUT = "burnout"
    COOLING = "cooling"


@unique
class MarkedState(StrEnum):
    """What operators mark, named as `marks.PlantState` labels it."""

    START_UP = "start_up"
    CALIBRATION = "calibration"
    MAINTENANCE = "maintenance"
    FAULT = "fault"
    STOPPED = "stopped"


@unique
class Verified(StrEnum):
    """How far a figure has been checked. Limits of an unverified pack are shown, never judged."""

    ORIGINAL_TEXT = "original_text"
    SECONDARY_SOURCE = "secondary_source"
    UNVERIFIED = "unverified"


@unique
class Origin(StrEnum):
    """Who says so."""

    LAW = "law"
    SITE_CHOICE = "site_choice"


@unique
class PackKind(StrEnum):
    """A legal text, or the permit of one site that stands on top of it."""

    LAW = "law"
    PERMIT = "permit"


@unique
class UnitType(StrEnum):
    """What is burned in the furnace."""

    CREMATOR = "cremator"
    OFFERING_INCINERATOR = "offering_incinerator"


@unique
class Fuel(StrEnum):
    """What heats the furnace."""

    GAS = "gas"
    OIL = "oil"
    ELECTRICITY = "electricity"
    OTHER = "other"


@unique
class Bound(StrEnum):
    """On which side of its limit a mean must stay."""

    AT_MOST = "at_most"
    BELOW = "below"  # the limit itself is too much
    AT_LEAST = "at_least"


@unique
class Compared(StrEnum):
    """Which figure is held against the limit. Records keep the unrounded one either way."""

    UNROUNDED = "unrounded"
    ROUNDED = "rounded"
