"""How numbers, units and times are written for people. Pure."""

from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from ingest_service.api.page.texts import Texts
from ingest_service.config import Config

# Decimals that an instrument of that unit can vouch for.
UNIT_DECIMALS = {
    "°C": 0, "Pa": 0, "%": 1, "mg/m3": 1, "m/s": 1, "Hz": 1, "A": 1, "m3/h": 1, "m3": 1, "kW": 1, "kWh": 0, "kg/h": 2,
    "s": 1, "B": 0, "": 0,
}  # fmt: skip
QUANTITY_DECIMALS = {
    "burner1_modulation": 0,
    "burner2_modulation": 0,
    "stack_moisture": 1,
    "filter_pressure_drop": 0,
}
UNIT_TEXTS = {"mg/m3": "mg/m³", "m3/h": "m³/h", "m3": "m³", "B": ""}


def number(value: float, unit: str, quantity: str = "") -> str:
    """A value at the resolution that makes sense for its quantity; an unknown unit gets two decimals."""
    decimals = QUANTITY_DECIMALS.get(quantity, UNIT_DECIMALS.get(unit, 2))
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def unit_text(unit: str) -> str:
    """A unit as people write it."""
    return UNIT_TEXTS.get(unit, unit)


def size(count_bytes: int) -> str:
    """A size on disk with a decimal unit."""
    amount = float(count_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def duration(span_ms: int, t: Texts) -> str:
    """A span in its largest sensible unit, two units from an hour on."""
    seconds = max(0, span_ms) // 1000
    if seconds < 60:
        return t("time.seconds", n=seconds)
    if seconds < 3600:
        return t("time.minutes", n=seconds // 60)
    if seconds < 172_800:
        return t("time.hours", n=seconds // 3600, m=seconds % 3600 // 60)
    return t("time.days", n=seconds // 86_400)


class Clock:
    """Writes times (ms since 1970 UTC) in one zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone

    def at(self, at_ms: int) -> datetime:
        """That time in the zone."""
        return datetime.fromtimestamp(at_ms / 1000, self.zone)

    def day_start_ms(self, at_ms: int, days_before: int = 0) -> int:
        """The midnight that begins the day of `at_ms`, or a day so many before it."""
        return self.midnight_ms(self.at(at_ms).date() - timedelta(days=days_before))

    def midnight_ms(self, day: date) -> int:
        """The midnight that begins that day."""
        return round(datetime.combine(day, time(), self.zone).timestamp() * 1000)

    def full(self, at_ms: int) -> str:
        """Date, time and offset: nothing left to guess."""
        return self.at(at_ms).isoformat(sep=" ", timespec="seconds")

    def short(self, at_ms: int, now_ms: int) -> str:
        """The time alone where it is today's, else with its day."""
        at = self.at(at_ms)
        return at.strftime("%H:%M:%S" if at.date() == self.at(now_ms).date() else "%m-%d %H:%M")

    def minute(self, at_ms: int, now_ms: int) -> str:
        """The minute alone where it is today's, else with its day."""
        at = self.at(at_ms)
        return at.strftime("%H:%M" if at.date() == self.at(now_ms).date() else "%m-%d %H:%M")

    def iso(self, at_ms: int) -> str:
        """For a `datetime` attribute."""
        return self.at(at_ms).isoformat(timespec="milliseconds")

    def offset(self, at_ms: int) -> str:
        """The zone's offset, e.g. UTC+08:00."""
        text = self.at(at_ms).strftime("%z")
        return f"UTC{text[:3]}:{text[3:5]}"


@cache
def zone_named(name: str) -> ZoneInfo:
    """The zone of that IANA name."""
    return ZoneInfo(name)


def zone_of(config: Config) -> ZoneInfo:
    """The zone in which hours and days begin, and in which times are written."""
    return zone_named(config.judging.time_zone)
