"""The zone and a few moments that the tests of averaging share."""

from datetime import datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
# Zones whose hours are not those of UTC.
KOLKATA, KATHMANDU, ADELAIDE = ZoneInfo("Asia/Kolkata"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("Australia/Adelaide")


def at(text: str, zone: ZoneInfo = SHANGHAI) -> int:
    """A local moment in ms since 1970 UTC."""
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)
