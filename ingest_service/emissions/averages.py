"""The kinds of averaging period that rules know."""

from enum import StrEnum, unique


@unique
class Averaging(StrEnum):
    """Over which period a mean is formed. The names are stored: never rename one."""

    REAL_TIME = "real_time"  # every value: a minute is judged by its worst one
    MINUTE = "minute"
    FIVE_MINUTES = "five_minutes"
    SIX_MINUTES = "six_minutes"
    TEN_MINUTES = "ten_minutes"
    HALF_HOUR = "half_hour"
    CLOCK_HOUR = "clock_hour"
    ROLLING_HOUR = "rolling_hour"  # sixty minutes that end with any minute
    DAY = "day"  # the mean of the day's valid hours
    OPERATING_DAY = "operating_day"  # the mean of the day's operating minutes
    MONTH = "month"  # the mean of the month's valid days
    FIRST_HOUR_OF_CREMATION = "first_hour_of_cremation"
    HALVES_OF_FIRST_HOUR = "halves_of_first_hour"  # each of the two half-hours is judged
    CREMATION = "cremation"
    SHARE_OF_CREMATIONS = "share_of_cremations"  # of a calendar month's or year's: how many kept a limit


# Periods of equal width that begin with the hour: minutes.
WIDTHS: dict[Averaging, int] = {
    Averaging.REAL_TIME: 1,
    Averaging.MINUTE: 1,
    Averaging.FIVE_MINUTES: 5,
    Averaging.SIX_MINUTES: 6,
    Averaging.TEN_MINUTES: 10,
    Averaging.HALF_HOUR: 30,
    Averaging.CLOCK_HOUR: 60,
}

OF_ONE_CREMATION = frozenset({Averaging.FIRST_HOUR_OF_CREMATION, Averaging.HALVES_OF_FIRST_HOUR, Averaging.CREMATION})
OF_CREMATIONS = OF_ONE_CREMATION | {Averaging.SHARE_OF_CREMATIONS}


@unique
class Window(StrEnum):
    """The calendar window whose cremations a share is taken of."""

    MONTH = "month"
    YEAR = "year"
