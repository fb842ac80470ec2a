"""`ingest-service store` against real stores: the embedded one, Debian's InfluxDB and VictoriaMetrics."""

import csv
from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pytest

from edge_agent.wire.durations import MINUTE_MS
from edge_agent.wire.sample import Reason
from ingest_service.__main__ import main
from ingest_service.config_file import load_config
from ingest_service.store import copying
from ingest_service.store.batch import BlockRef, SampleBatch
from ingest_service.store.database import database_url, open_database
from ingest_service.store.opening import open_series_store
from ingest_service.store.timeseries import TimeSeriesStore
from tests.ingest_service.store.batches import HOUR_MS, START_MS, means, means_of
from tests.ingest_service.store.stores import register
from tests.support.influx import InfluxDB
from tests.support.victoria import VictoriaMetrics

DAY_MS = 24 * HOUR_MS
SERIES = (1, 2, 3, 4)


class Site:
    """Configuration files that share one folder, a line apart."""

    def __init__(self, folder: Path, influx: InfluxDB, victoria: VictoriaMetrics) -> None:
        self.folder = folder
        self.embedded = self._file("embedded", "")
        self.influx = self._file("influxdb", f'url = "{influx.url}"\nbucket = "{folder.name}"')
        self.victoria = self._file("victoriametrics", f'url = "{victoria.url}"\nhold_s = 0')
        database = open_database(database_url(folder / "data", ""))
        register(database, folder.name)
        database.dispose()

    def opened(self, file: Path) -> TimeSeriesStore:
        storage = load_config(file).storage
        self.database = open_database(database_url(Path(storage.folder), ""))
        return open_series_store(storage, self.database, str(file), lambda: START_MS + 3 * DAY_MS)

    def close(self, store: TimeSeriesStore) -> None:
        store.close()
        self.database.dispose()

    def _file(self, kind: str, rest: str) -> Path:
        (self.folder / "data").mkdir(exist_ok=True)
        file = self.folder / f"{kind}.toml"
        file.write_text(f'[storage]\nkind = "{kind}"\nfolder = "data"\n{rest}\n')
        return file


@pytest.fixture
def site(tmp_path: Path, influx: InfluxDB, victoria: VictoriaMetrics) -> Site:
    return Site(tmp_path, influx, victoria)


def history(days: int) -> SampleBatch:
    """Four series, a sample in ten minutes; some are bad, some in doubt."""
    times = np.arange(START_MS, START_MS + days * DAY_MS, 10 * MINUTE_MS, dtype=np.int64)
    series = np.repeat(np.array(SERIES, np.int32), len(times))
    at_ms = np.tile(times, len(SERIES))
    value = np.sin(np.arange(len(at_ms))) * 850
    reason = np.zeros(len(at_ms), np.uint8)
    reason[::7], reason[::11] = Reason.CLOCK_UNSYNCED, Reason.WIRE_BREAK
    value[::11] = np.nan
    block = BlockRef(2, 1, 5, 1, 0, len(at_ms), int(times[0]), int(times[-1]))
    return SampleBatch(series, at_ms, value, reason, (block,))


def fill(site: Site, file: Path, days: int = 1) -> None:
    store = site.opened(file)
    store.write(history(days))
    store.write_means(means([(1, 0, 1.5), (2, 0, float("nan"))]), means([(1, 0, 2.5)]), store.dirty_minutes(0, 1))
    store.seal(START_MS + days * DAY_MS)
    site.close(store)


def run(*arguments: object) -> int:
    return main(["store", *map(str, arguments)])


def test_init_and_check_of_the_embedded_store(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", site.embedded) == 0
    fill(site, site.embedded)
    assert run("check", site.embedded) == 0
    assert "right   sealed files: 24 of 24 are as they were written" in capsys.readouterr().out
    (file, *_) = sorted((site.folder / "data/series/sealed").rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert run("check", site.embedded) == 1
    told = capsys.readouterr().out
    assert f"wrong   sealed file {file.relative_to(site.folder / 'data/series/sealed')}: its bytes are not" in told
    assert "put a copy of it back" in told


def test_init_makes_what_influxdb_needs_and_check_sees_what_is_missing(
    site: Site, influx: InfluxDB, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", site.influx) == 1
    assert "run `ingest-service store init`" in capsys.readouterr().out
    for _ in range(2):
        assert run("init", site.influx) == 0
        assert run("check", site.influx) == 0
    assert f"right   {site.folder.name}: is kept 1860 days" in capsys.readouterr().out
    influx.question(f'ALTER RETENTION POLICY "kept" ON "{site.folder.name}" DURATION 30d')
    assert run("check", site.influx) == 1
    assert "is kept for 30 days, 1860 days wanted" in capsys.readouterr().out
    influx.question(f'DROP DATABASE "{site.folder.name}_hour"')
    assert run("check", site.influx) == 1
    assert f"wrong   {site.folder.name}_hour: " in capsys.readouterr().out


def test_check_sees_flags_that_victoriametrics_lacks(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("init", site.victoria) == 0
    assert run("check", site.victoria) == 0
    assert "right   retentionPeriod: is 10y" in capsys.readouterr().out
    bare = VictoriaMetrics(tmp_path / "bare", flags=())
    bare.start()
    site.victoria.write_text(f'[storage]\nkind = "victoriametrics"\nfolder = "data"\nurl = "{bare.url}"\n')
    assert run("check", site.victoria) == 1
    bare.kill()
    told = capsys.readouterr().out
    for line in ("retentionPeriod: is 1", "dedup.minScrapeInterval: is 0s", "search.latencyOffset: is 30s"):
        assert f"wrong   {line}" in told
    assert run("check", site.victoria) == 1
    assert "cannot be reached" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "target", "verdict"),
    [
        ("embedded", "influx", "576 samples of 8 series and days compared: 8 the same"),
        ("influx", "embedded", "576 samples of 8 series and days compared: 8 the same"),
        ("embedded", "victoria", "8 the same to twelve digits, 0 different"),
        ("victoria", "influx", "8 the same, 0 the same to twelve digits, 0 different"),
    ],
)
def test_history_is_copied_between_any_two_and_compared(
    site: Site, source: str, target: str, verdict: str, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = getattr(site, source), getattr(site, target)
    for file in (here, there):
        assert run("init", file) == 0
    fill(site, here)
    assert run("copy", "--from", here, "--to", there) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert verdict in told, told
    assert "days of means that differ: 0" in told
    copied = site.opened(there)
    assert copied.held(1, 5) == [(1, 1)]
    assert means_of(copied.means(MINUTE_MS, [1], START_MS, START_MS + HOUR_MS)) == [(1, 0, 1.5)]
    assert len(copied.dirty_minutes(START_MS + 9 * DAY_MS, 10**6)) > 0
    site.close(copied)
    assert not list((site.folder / "data").glob("copy-*"))


def test_a_copy_that_was_ended_goes_on_where_it_was(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("init", site.influx)
    fill(site, site.embedded)
    whole = copying.copy_day
    seen: list[int] = []

    def ended_on_the_second_day(*given: object) -> object:
        seen.append(given[3])  # type: ignore[arg-type]
        if len(seen) == 2:
            raise KeyboardInterrupt
        return whole(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("ingest_service.commands.store_copy.copy_day", ended_on_the_second_day)
    assert run("copy", "--from", site.embedded, "--to", site.influx) == 130
    assert run("copy", "--from", site.embedded, "--to", site.influx) == 0
    assert "1 of 2 days were copied before" in capsys.readouterr().out
    assert len(seen) == 3


def test_a_difference_is_told_with_series_day_and_checksums(
    site: Site, influx: InfluxDB, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("init", site.influx)
    fill(site, site.embedded)

    def spoilt(_store: TimeSeriesStore, _console: object) -> None:
        tags = f"home=home-{site.folder.name},edge=edge\\ '1',device=plc\\ 2,furnace=1号炉"
        influx.write(site.folder.name, f"sample,{tags} channel_1=-1 {START_MS + 10 * MINUTE_MS}").raise_for_status()

    monkeypatch.setattr("ingest_service.commands.store_copy._settle", spoilt)
    assert run("copy", "--from", site.embedded, "--to", site.influx) == 1
    told = capsys.readouterr().out
    assert "DIFFERENT series 1 on 2025-11-24" in told
    assert "7 the same, 0 the same to twelve digits, 1 different" in " ".join(told.split())


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ('kind = "influxdb"\nfolder = "other"', "is another relational database"),
        ('kind = "embedded"\nfolder = "data"', "is the same store"),
    ],
)
def test_a_copy_that_makes_no_sense_is_refused_in_one_line(
    site: Site, target: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = site.folder / "other.toml"
    other.write_text(f"[storage]\n{target}\n")
    assert run("copy", "--from", site.embedded, "--to", other) == 2
    told = capsys.readouterr().err
    assert line in told
    assert told.count("\n") == 1


SPAN = ("--from", "2025-11-25", "--to", "2025-11-25")  # in Shanghai: 16:00 UTC the day before to 16:00 UTC


def export(site: Site, out: str, *options: object, span: Sequence[str] = SPAN) -> Path:
    assert run("export", site.embedded, "--out", site.folder / out, *options, *span) == 0
    return site.folder / out


def test_samples_as_csv_that_a_spreadsheet_reads(site: Site) -> None:
    fill(site, site.embedded)
    path = export(site, "out.csv", "--series", 1, "--series", "*/#none/*", "--series", "*/plc 3/*")
    assert path.read_bytes().startswith(b"\xef\xbb\xbftime,")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    first = {
        "time": "2025-11-25T00:00:00.000+08:00", "home": f"home-{site.folder.name}", "device": "plc 2",
        "channel": "channel_1", "name": "channel_1", "unit": "", "value": "", "reason": "wire_break",
    }  # fmt: skip
    assert rows[0] == first
    assert {row["channel"] for row in rows} == {"channel_1", "flue o2, dry", "channel_6", "channel_10"} & {
        row["channel"] for row in rows
    }
    assert len([row for row in rows if row["channel"] == "channel_1"]) == 144
    assert float(rows[1]["value"]) == float(history(1).value[1])


def test_samples_and_means_as_parquet(site: Site) -> None:
    fill(site, site.embedded)
    path = export(site, "out.parquet")
    other = duckdb.connect()
    query = f"SELECT count(*), count(DISTINCT series), min(time_ms), max(time_ms) FROM '{path}'"
    assert other.execute(query).fetchall() == [(576, 4, START_MS, START_MS + DAY_MS - 10 * MINUTE_MS)]
    means_path = export(site, "means.parquet", "--content", "minute")
    columns = "series, channel, time_ms, mean, covered"
    found = other.execute(f"SELECT {columns} FROM '{means_path}' ORDER BY series").fetchall()
    assert found[0] == (1, "channel_1", START_MS, 1.5, 0.5)
    assert found[1][3:] == (None, 0.0)
    assert [entry.name for entry in site.folder.iterdir() if "unfinished" in entry.name] == []


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--series", "nobody/*"], "names no series"),
        (["--from", "yesterday"], "is no date"),
        (["--out", "x.xlsx"], "is no format"),
    ],
)
def test_an_export_that_cannot_be_is_refused_in_one_line(
    site: Site, options: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("export", site.embedded, "--out", site.folder / "x.csv", *SPAN, *options) == 2
    assert line in capsys.readouterr().err
