"""Which alarms the list was asked for: a place, a severity, pages of open and of finished ones. Pure."""

from collections.abc import Sequence

import msgspec

from ingest_service.alarms.vocabulary import Severity
from ingest_service.api.page.addresses import address
from ingest_service.store.journal import AlarmRecord


class AskedAlarms(msgspec.Struct, frozen=True, kw_only=True):
    """What the address asks for; "" is no condition, pages count from 1."""

    city: str = ""
    district: str = ""
    severity: Severity | None = None
    page: int = 1
    finished: int = 1

    def address(self, **other: str | int | None) -> str:
        """The list's address with these conditions and others in their place."""
        return address("/alarms", self, other)

    def among(self, alarms: Sequence[AlarmRecord]) -> list[AlarmRecord]:
        """Those of the severity."""
        return [alarm for alarm in alarms if self.severity in (None, alarm.severity)]


class Choice(msgspec.Struct, frozen=True):
    """One severity that alarms can be cut down to (None: all), and how many are open."""

    severity: Severity | None
    href: str
    count: int


def choices(asked: AskedAlarms, alarms: Sequence[AlarmRecord]) -> list[Choice]:
    """Every severity that open alarms have, the most urgent first; none where it makes no difference."""
    counts = {severity: sum(alarm.severity == severity for alarm in alarms) for severity in Severity}
    found = [(severity, count) for severity, count in counts.items() if count or severity is asked.severity]
    if len(found) < 2 and asked.severity is None:
        return []
    options = [(None, len(alarms)), *found]
    return [Choice(one, asked.address(severity=one, page=1), count) for one, count in options]
