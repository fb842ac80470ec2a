"""Examines an embedded store at rest: every sealed file against its hash, and the space on its disk."""

from collections.abc import Iterator

from duckdb import DuckDBPyConnection

from ingest_service.store.embedded.archive import Archive
from ingest_service.store.embedded.scrubbing import problem_of
from ingest_service.store.findings import Finding, right, wrong


def examine_files(cursor: DuckDBPyConnection, archive: Archive) -> Iterator[Finding]:
    """One finding for every sealed file that is not as it was written, one for all the others."""
    rows = cursor.execute("SELECT file, sha256 FROM sealed_hour ORDER BY file").fetchall()
    damaged = {file: problem for file, sha256 in rows if (problem := problem_of(archive.path(file), sha256))}
    for file, problem in damaged.items():
        yield wrong(f"sealed file {file}", f"{problem}; put a copy of it back")
    yield right("sealed files", f"{len(rows) - len(damaged)} of {len(rows)} are as they were written")
