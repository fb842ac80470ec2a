"""How each home stands, in counts: what the overview chooses from and sums up. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from ingest_service.alarms.vocabulary import Severity
from ingest_service.api.page.alarm_view import worst
from ingest_service.api.page.texts import Texts
from ingest_service.api.page.tiles import home_name
from ingest_service.api.snapshot import EdgeState
from ingest_service.emissions.preview import Preview
from ingest_service.store.journal import AlarmRecord
from ingest_service.store.rows import HomeRow

_RANKS = list(Severity)


class HomeState(msgspec.Struct, frozen=True, kw_only=True):
    """One home in counts. `worst` is the severity of its most urgent open alarm ("": none).

    `over` counts its furnaces over a limit in the running hour, `silent` its silent edges.
    """

    home: HomeRow
    worst: str
    alarms: int
    over: int
    edges: int
    silent: int
    furnaces: int
    burning: int

    @property
    def needs_someone(self) -> bool:
        """Whether anything is abnormal."""
        return bool(self.alarms or self.over or self.silent)


class Known(msgspec.Struct, frozen=True):
    """What the states are counted from. `furnaces` has the home of each furnace in sight by the furnace's id."""

    homes: Sequence[HomeRow]
    furnaces: Mapping[int, str]
    alarms: Sequence[AlarmRecord]
    edges: Sequence[EdgeState]
    previews: Sequence[Preview]
    burning: Iterable[int]


def home_states(known: Known) -> list[HomeState]:
    """The state of every home, in their order."""
    alarms: dict[str, list[AlarmRecord]] = {}
    for alarm in known.alarms:
        alarms.setdefault(alarm.home_id, []).append(alarm)
    furnaces = Counter(known.furnaces.values())
    burning = Counter(known.furnaces[furnace] for furnace in known.burning if furnace in known.furnaces)
    over = Counter(known.furnaces[furnace] for furnace in over_a_limit(known.previews) if furnace in known.furnaces)
    edges = Counter(edge.home_id for edge in known.edges)
    silent = Counter(edge.home_id for edge in known.edges if not edge.online)
    return [
        HomeState(
            home=home, worst=worst(alarms.get(home.id, ())), alarms=len(alarms.get(home.id, ())), over=over[home.id],
            edges=edges[home.id], silent=silent[home.id], furnaces=furnaces[home.id], burning=burning[home.id],
        )
        for home in known.homes
    ]  # fmt: skip


def over_a_limit(previews: Iterable[Preview]) -> set[int]:
    """The furnaces whose mean of the running hour is over any limit."""
    return {hour.furnace_id for hour in previews if hour.mean is not None and hour.mean > hour.limit}


def by_exception(states: Iterable[HomeState], t: Texts) -> list[HomeState]:
    """The homes that need someone first: by their most urgent alarm, an hour over its limit, silence, then name."""

    def rank(state: HomeState) -> tuple[int, bool, bool, str]:
        urgent = _RANKS.index(Severity(state.worst)) if state.worst else len(_RANKS)
        return urgent, not state.over, not state.silent, home_name(state.home, t)

    return sorted(states, key=rank)
