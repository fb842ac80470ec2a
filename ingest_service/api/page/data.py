"""The page of the data's way to the centre: edges, intake, store, and what was refused."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from edge_agent.wire.durations import DAY_MS
from ingest_service.api.health import check_all
from ingest_service.api.page.addresses import PageNumber, Word, address
from ingest_service.api.page.completeness import GapLine, gap_line
from ingest_service.api.page.formats import duration, size
from ingest_service.api.page.paging import Paging
from ingest_service.api.page.rendering import AnyPage, Page
from ingest_service.api.page.shown import NO_VALUE
from ingest_service.api.page.tiles import home_name
from ingest_service.api.snapshot import EdgeState, edge_states
from ingest_service.config import FOR_EVER
from ingest_service.errors import StoreError
from ingest_service.intake.counters import IngestCounters
from ingest_service.people.roles import Right
from ingest_service.store import journal, overview
from ingest_service.store.forecast import Outlook, forecast
from ingest_service.store.gaps import KnownGap, newest_gaps
from ingest_service.store.overview import Part
from ingest_service.store.timeseries import StoreStatus

GAPS_SHOWN, REJECTIONS_SHOWN = 30, 50
EDGES_A_PAGE = 50

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


class Fact(msgspec.Struct, frozen=True):
    """One line: its text's name and what stands beside it."""

    key: str
    text: str


class AskedEdges(msgspec.Struct, frozen=True, kw_only=True):
    """Which edges are asked for: whose name or home contains a word (""; all), and the page of them."""

    q: str = ""
    page: int = 1

    def address(self, **other: str | int) -> str:
        """The page's address with these conditions and others in their place."""
        return address("/data", self, other)


class EdgeLine(msgspec.Struct, frozen=True):
    """One edge as a line of the table."""

    home: str
    name: str
    software: str
    online: bool
    last_seen_ms: int
    clock_offset: str
    best_effort: bool
    seq_gaps: int
    rebirths: int
    conflicts: int

    @property
    def needs_someone(self) -> bool:
        """Whether it is silent, or two go by its name."""
        return not self.online or self.conflicts > 0

    def is_called(self, word: str) -> bool:
        """Whether its home's name or its own contains the word."""
        return word.casefold() in f"{self.home} / {self.name}".casefold()


@router.get("/data")
def show_data(page: AnyPage, q: Word = "", number: Annotated[PageNumber, Query(alias="page")] = 1) -> HTMLResponse:
    """Whether the data reach the centre, and what does not."""
    asked = AskedEdges(q=q.strip(), page=number)
    runs_it = page.may(Right.OPERATE)  # what concerns the centre as a whole is no matter of one home
    names = {home.id: home_name(home, page.t) for home in overview.homes(page.sight)}
    day_ago_ms = page.now_ms - DAY_MS
    gaps = newest_gaps(page.sight, page.now_ms - 7 * DAY_MS, GAPS_SHOWN)
    edges = [edge_line(edge, names[edge.home_id]) for edge in edge_states(page.here, page.sight)]
    found = sorted((edge for edge in edges if edge.is_called(asked.q)), key=lambda edge: not edge.needs_someone)
    paging = Paging.of(len(found), EDGES_A_PAGE, asked.page)
    return page.render(
        "data.html",
        "data",
        checks=check_all(page.here) if runs_it else [],
        asked=asked,
        paging=paging,
        many=len(edges) > EDGES_A_PAGE,
        edges=paging.part(found),
        intake=intake_facts(page, page.here.counters()) if runs_it else [],
        store=store_facts(page) if runs_it else [],
        rejections=journal.rejections(page.sight, Part(REJECTIONS_SHOWN)),
        all_rejections=journal.count_rejections(page.sight),
        gaps=gap_lines(page, [gap for gap in gaps if gap.to_ms > day_ago_ms], names),
        old_gaps=gap_lines(page, [gap for gap in gaps if gap.to_ms <= day_ago_ms], names),
    )


def gap_lines(page: Page, gaps: Sequence[KnownGap], homes: Mapping[str, str]) -> list[GapLine]:
    """A line for each gap; the devices of one edge that were missing for one reason at one time share it."""
    alike: defaultdict[tuple[object, ...], list[KnownGap]] = defaultdict(list)
    for gap in gaps:
        whole_edge = not gap.device
        seconds = gap.from_ms // 1000, gap.to_ms // 1000
        alike[gap.home_id, gap.edge, whole_edge, gap.channels, gap.reason, seconds].append(gap)
    return [gap_line(group, page, f"{homes[group[0].home_id]} / ") for group in alike.values()]


def edge_line(edge: EdgeState, home: str) -> EdgeLine:
    """An edge in the table's words."""
    offset = NO_VALUE if edge.clock_offset_ms is None else f"{edge.clock_offset_ms / 1000:+.1f} s"
    return EdgeLine(
        home=home,
        name=edge.name,
        software=edge.software or NO_VALUE,
        online=edge.online,
        last_seen_ms=edge.last_seen_ms,
        clock_offset=offset,
        best_effort=edge.best_effort,
        seq_gaps=edge.seq_gaps,
        rebirths=edge.rebirths,
        conflicts=edge.conflicts,
    )


def intake_facts(page: Page, counters: IngestCounters) -> list[Fact]:
    """What came in since the start, and how far behind the writing is."""
    counts = {
        "messages": counters.messages,
        "samples_received": counters.samples_received,
        "samples_stored": counters.samples_stored,
        "samples_repeated": counters.samples_repeated,
        "samples_rejected": sum(counters.samples_rejected.values()),
        "acknowledged_blocks": counters.acknowledged_blocks,
        "dropped_messages": counters.dropped_messages,
        "decode_errors": counters.decode_errors,
        "store_errors": counters.store_errors,
    }
    committed_ms = counters.last_commit_at_ms
    lag = NO_VALUE if not committed_ms else duration(page.now_ms - committed_ms, page.t)
    return [
        *(Fact(key, f"{count:,}") for key, count in counts.items()),
        Fact("last_batch", f"{counters.last_batch_ms:.1f} ms"),
        Fact("lag", lag),
    ]


def store_facts(page: Page) -> list[Fact]:
    """What the store holds, and what becomes of its disk; why not, where it does not answer."""
    try:
        status = page.here.store.status()
    except StoreError as error:
        return [Fact("problem", str(error))]
    counts = {"hot_rows": status.hot_rows, "sealed_rows": status.sealed_rows}
    sizes = {"disk": status.disk_bytes, "free": status.free_bytes}
    moments = {"oldest": status.oldest_ms, "newest": status.newest_ms}
    facts = [Fact("kind", page.t(f"store_kind.{status.kind}"))]
    facts += [Fact(key, f"{count:,}") for key, count in counts.items() if count is not None]
    facts += [Fact(key, size(count)) for key, count in sizes.items() if count is not None]
    facts += [*disk_facts(page, status)]
    facts += [Fact(key, NO_VALUE if at is None else page.clock.full(at)) for key, at in moments.items()]
    return facts + ([Fact("problem", status.problem)] if status.problem else [])


def disk_facts(page: Page, status: StoreStatus) -> list[Fact]:
    """How fast the store grows, where that leads, and for how long raw samples are kept."""
    kept, t = page.here.config.storage.retention, page.t
    future = forecast(status, kept)
    facts = [Fact("kept", t("store.for_ever") if kept.raw_days == FOR_EVER else t("time.days", n=kept.raw_days))]
    if status.growth_bytes_per_day is not None:
        facts.append(Fact("growth", t("store.a_day", size=size(round(status.growth_bytes_per_day)))))
    if future.outlook is Outlook.FITS and future.settled_bytes is not None:
        facts.append(Fact("outlook", t("store.fits", size=size(future.settled_bytes))))
    if future.outlook is Outlook.FULL and future.days_left is not None:
        facts.append(Fact("outlook", t("store.full", n=round(future.days_left))))
    return facts
