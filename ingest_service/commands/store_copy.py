"""The work of `ingest-service store copy`: progress for people, and what the comparison found."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import Engine

from edge_agent.wire.durations import DAY_MS, HOUR_MS, MINUTE_MS
from ingest_service.config import Config, Storage
from ingest_service.errors import ConfigError
from ingest_service.store.channels import read_channels
from ingest_service.store.comparing import ROUNDED, SeriesDay, Verdict, compare_day
from ingest_service.store.copying import Journal, by_source, copy_books, copy_day, days_of, same_means
from ingest_service.store.database import database_url, open_database
from ingest_service.store.opening import open_series_store
from ingest_service.store.timeseries import TimeSeriesStore

_SHOWN = 20  # differences that are told one by one


def copy_history(source: Config, source_file: str, target: Config, target_file: str) -> int:
    """Copy all of it and compare; 1 where the two differ in the end."""
    url = _database_url(source.storage)
    if url != _database_url(target.storage):
        problem = f"is another relational database than that of {source_file}, so series would be mixed up"
        raise ConfigError(target_file, "storage.database_url, storage.folder", problem, "the same in both files")
    if source.storage == target.storage:
        raise ConfigError(target_file, "storage.kind", f"is the same store as that of {source_file}")
    Path(target.storage.folder).mkdir(parents=True, exist_ok=True)
    database = open_database(url)
    rows = read_channels(database).rows
    series = sorted(row.series_id for row in rows)
    journal = Journal(_journal_path(source.storage, target.storage))
    console = Console()
    try:
        with (
            _opened(source.storage, database, source_file) as here,
            _opened(target.storage, database, target_file) as there,
        ):
            days = days_of(here.status())
            _copy(here, there, series, days, journal, console)
            copy_books(here, there, by_source((row.source_id, row.series_id) for row in rows))
            _settle(there, console)
        # Opened anew: what is compared is read from the servers, not from what a store remembers of its writes.
        with (
            _opened(source.storage, database, source_file) as here,
            _opened(target.storage, database, target_file) as there,
        ):
            differing = _compare(here, there, series, days, console)
    finally:
        database.dispose()
    if not differing:
        journal.remove()
    return 1 if differing else 0


@contextmanager
def _opened(storage: Storage, database: Engine, file: str) -> Iterator[TimeSeriesStore]:
    store = open_series_store(storage, database, file, _wall_ms)
    try:
        yield store
    finally:
        store.close()


def _copy(
    here: TimeSeriesStore, there: TimeSeriesStore, series: Sequence[int], days: Sequence[int], journal: Journal,
    console: Console,
) -> None:  # fmt: skip
    """The last day is never noted as done: more of it may come."""
    due = [day for day in days if day not in journal.done]
    if len(due) < len(days):
        console.print(f"{len(days) - len(due)} of {len(days)} days were copied before")
    with _progress(console) as progress:
        task = progress.add_task("copying", total=len(due), note="")
        copied = 0
        for day_ms in due:
            done = copy_day(here, there, series, day_ms)
            copied += done.samples
            if day_ms != days[-1]:
                journal.add(done)
            progress.update(task, advance=1, note=f"{_day(day_ms)}, {copied:,} samples")


def _settle(there: TimeSeriesStore, console: Console) -> None:
    """Wait until what was written can no longer be lost."""
    if there.hold_s:
        console.print(f"waiting {there.hold_s:.0f} s until the store has everything on its disk")
        time.sleep(there.hold_s + 1)
        there.confirm()


def _compare(
    here: TimeSeriesStore, there: TimeSeriesStore, series: Sequence[int], days: Sequence[int], console: Console
) -> int:
    """Print what differs and the sums; returns the number of series and days, or days of means, that differ."""
    found: list[SeriesDay] = []
    means = 0
    with _progress(console) as progress:
        task = progress.add_task("comparing", total=len(days), note="")
        for day_ms in days:
            found += compare_day(here, there, series, day_ms)
            means += not all(_same_means(here, there, length, series, day_ms) for length in (MINUTE_MS, HOUR_MS))
            progress.update(task, advance=1, note=_day(day_ms))
    differing = [one for one in found if one.verdict is Verdict.DIFFERENT]
    for one in differing[:_SHOWN]:
        counts = f"{one.samples:,} and {one.samples_there:,} samples, {one.checksum} and {one.checksum_there}"
        console.print(f"DIFFERENT series {one.series} on {_day(one.day_ms)}: {counts}", soft_wrap=True)
    verdicts = {verdict: sum(one.verdict is verdict for one in found) for verdict in Verdict}
    samples = sum(one.samples_there for one in found)
    console.print(
        f"{samples:,} samples of {len(found):,} series and days compared: {verdicts[Verdict.SAME]:,} the same, "
        f"{verdicts[Verdict.ROUNDED]:,} the same to twelve digits, {len(differing):,} different; "
        f"days of means that differ: {means}",
        soft_wrap=True,
    )
    return len(differing) + means


def _same_means(
    here: TimeSeriesStore, there: TimeSeriesStore, period_ms: int, series: Sequence[int], day_ms: int
) -> bool:
    span = (day_ms, day_ms + DAY_MS)
    return same_means(here.means(period_ms, series, *span), there.means(period_ms, series, *span), ROUNDED)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("days"))
    return Progress(*columns, TimeRemainingColumn(), TextColumn("{task.fields[note]}"), console=console)


def _journal_path(source: Storage, target: Storage) -> Path:
    """One for each pair of stores."""
    pair = f"{source.kind} {source.url} {source.bucket} {target.kind} {target.url} {target.bucket}"
    name = hashlib.sha256(pair.encode()).hexdigest()[:8]
    return Path(target.folder) / f"copy-{source.kind}-{target.kind}-{name}.jsonl"


def _database_url(storage: Storage) -> str:
    return database_url(Path(storage.folder), storage.database_url)


def _day(day_ms: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(day_ms / 1000))


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
