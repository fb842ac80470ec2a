"""Opens the embedded store: the database, the sealed files that lie there, and what is kept in memory beside them."""

from pathlib import Path

import msgspec
import structlog

from ingest_service.errors import StoreError
from ingest_service.store.dirty import DirtyMarks
from ingest_service.store.embedded import tables
from ingest_service.store.embedded.archive import Archive, SealedFile
from ingest_service.store.embedded.database import Database
from ingest_service.store.embedded.ordering import HotOrder
from ingest_service.store.embedded.reading import latest_of
from ingest_service.store.embedded.scrubbing import Scrubber
from ingest_service.store.embedded.sealing import enter, listed_files
from ingest_service.store.held import HeldBlocks
from ingest_service.store.newest import NewestSamples

DATABASE = "samples.duckdb"
SEALED = "sealed"
_log = structlog.get_logger(__name__)


class Opened(msgspec.Struct):
    """An open store. `held_rows` counts rows of the table of held blocks, `round_number` hand-outs of dirty minutes."""

    database: Database
    archive: Archive
    scrubber: Scrubber
    held: HeldBlocks
    held_rows: int
    dirty: DirtyMarks
    round_number: int
    newest: NewestSamples
    order: HotOrder


def open_store(folder: Path, memory_limit_mb: int) -> Opened:
    """Open or create it. Raises StoreError when another process has it or a file cannot be used."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        database = Database(folder / DATABASE, memory_limit_mb)
        archive = Archive(folder / SEALED)
    except OSError as error:
        raise StoreError(f"store {folder}: {error.strerror}: {error.filename}") from error
    try:
        return _load(database, archive)
    except StoreError:
        database.close()
        raise


def _load(database: Database, archive: Archive) -> Opened:
    newest = NewestSamples()
    for sealed in _unlisted(database, archive):
        _adopt(database, archive, sealed, newest)
    with database.transaction() as cursor:
        archive.remove_superseded(listed_files(cursor))
        for table in ("latest", "sample"):
            newest.absorb(latest_of(cursor, table, []))
        ranges = tables.load_held(cursor)
        marks, round_number = tables.load_dirty(cursor)
    return Opened(
        database=database,
        archive=archive,
        scrubber=Scrubber(archive),
        held=HeldBlocks(ranges),
        held_rows=len(ranges),
        dirty=DirtyMarks(marks),
        round_number=round_number,
        newest=newest,
        order=HotOrder(),
    )


def _unlisted(database: Database, archive: Archive) -> list[SealedFile]:
    """Files that the manifest does not know: the process ended between naming one and committing it."""
    with database.transaction() as cursor:
        listed = listed_files(cursor)
    for file in sorted(listed):
        if not archive.path(file).exists():
            _log.error("sealed_file_missing", file=file)
    return [sealed for sealed in archive.newest().values() if sealed.file not in listed]


def _adopt(database: Database, archive: Archive, sealed: SealedFile, newest: NewestSamples) -> None:
    """Enter the file in the manifest; one that cannot be read is set aside, so that the version before it counts."""
    path = archive.path(sealed.file)
    try:
        with database.transaction() as cursor:
            enter(cursor, archive, sealed)
            newest.absorb(latest_of(cursor, "read_parquet(?)", [str(path)]))
    except StoreError as error:
        _log.error("sealed_file_unreadable", file=sealed.file, problem=str(error))
        path.replace(path.with_suffix(".unreadable"))
    else:
        _log.warning("sealed_file_adopted", file=sealed.file)
