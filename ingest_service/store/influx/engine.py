"""The engine for InfluxDB: a database (bucket) each for raw samples, minute means and hour means."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from ingest_service.errors import StoreError
from ingest_service.store.batch import MeanBatch, SampleBatch
from ingest_service.store.influx import influxql
from ingest_service.store.influx.dialect import Version, find_version, write_lines
from ingest_service.store.remote.catalogue import Catalogue
from ingest_service.store.remote.columns import Collected, means_of, newest_of, samples_of, tally_of_counts
from ingest_service.store.remote.connection import Address, Connection
from ingest_service.store.remote.engine import ServerSize, Wait
from ingest_service.store.remote.failures import Unreachable
from ingest_service.store.remote.names import SeriesName, period_name
from ingest_service.store.remote.points import MEAN_PARTS, MEASUREMENT, QUALITY, means_points, samples_points
from ingest_service.store.remote.writing import Refusal, Sending
from ingest_service.store.tally import HourTally

_STATEMENTS_AT_ONCE = 20


class InfluxEngine:
    """Of one server. What it acknowledged is durable, and is read at once."""

    kind = "influxdb"
    hold_s = 0.0
    settles_s = 0.0

    def __init__(self, address: Address, bucket: str, catalogue: Catalogue) -> None:
        self.address = f"{address.url.rstrip('/')} {bucket}"
        self._connection = Connection(address)
        self._bucket, self._catalogue = bucket, catalogue
        self._version: Version | None = None

    def write_samples(self, batch: SampleBatch, wait: Wait) -> list[Refusal]:
        """Write them; the same again changes nothing. Returns what the server refuses for good."""
        if not len(batch):
            return []
        sending = Sending(partial(self._post, self._bucket), wait)
        points = samples_points(batch, self._names(batch.series.tolist()))
        return [refusal for part in points for refusal in sending.send(part)]

    def write_means(self, period_ms: int, means: MeanBatch, wait: Wait) -> None:
        """Put these in the place of what there is: a later value of a field replaces the earlier one."""
        sending = Sending(partial(self._post, bucket_of(self._bucket, period_ms)), wait)
        names = self._names(means.series.tolist())
        for points in means_points(means, means.start_ms, period_name(period_ms), names):
            self._check_taken(sending.send(points))

    def samples(self, series: Sequence[int], from_ms: int, to_ms: int) -> SampleBatch:
        """The samples with `from_ms <= time < to_ms`, sorted."""
        names = self._catalogue.names(series).values()
        values, reasons = (
            self._collected(self._bucket, influxql.select(measurement, names, from_ms, to_ms), set(series))
            for measurement in (MEASUREMENT, QUALITY)
        )
        return samples_of(values, reasons)

    def tally(self, series: Sequence[int], from_ms: int, to_ms: int) -> HourTally:
        """How many samples lie in the whole hours of `[from_ms, to_ms)`, sorted by series and hour."""
        names, wanted = self._catalogue.names(series).values(), set(series)
        counts = self._collected(self._bucket, influxql.count_by_hour(MEASUREMENT, names, from_ms, to_ms), wanted)
        reasons = self._collected(self._bucket, influxql.select(QUALITY, names, from_ms, to_ms), wanted)
        return tally_of_counts(counts, reasons)

    def means(self, period_ms: int, series: Sequence[int], from_ms: int, to_ms: int) -> MeanBatch:
        """The means that start in `[from_ms, to_ms)`, sorted by series and start."""
        names = self._catalogue.names(series).values()
        bucket, period = bucket_of(self._bucket, period_ms), period_name(period_ms)
        parts = [
            self._collected(bucket, influxql.select(f"{period}_{part}", names, from_ms, to_ms), set(series))
            for part in MEAN_PARTS
        ]
        return means_of(parts, period_ms)

    def newest(self, since_ms: int) -> SampleBatch:
        """The newest sample of every series that has one not older than that."""
        everything = self._catalogue.everything()
        channels = sorted({name.channel for name in everything})
        wanted = {name.series_id for name in everything}
        values, reasons = (
            self._collected(self._bucket, influxql.select_last(measurement, channels, since_ms), wanted, channels)
            for measurement in (MEASUREMENT, QUALITY)
        )
        return newest_of(samples_of(values, reasons))

    def run(self) -> str:
        """Not asked for: what was acknowledged is durable."""
        return ""

    def size(self) -> ServerSize:
        """The server answers; it does not say how much it holds."""
        self._tables(self._bucket, [influxql.probe(self._bucket, self._server_version())])
        return ServerSize()

    def close(self) -> None:
        """Let go of its connections."""
        self._connection.close()

    def _post(self, bucket: str, lines: bytes) -> None:
        try:
            write_lines(self._connection, self._server_version(), bucket, lines)
        except Unreachable:
            self._version = None  # it may come back as another one
            raise

    def _check_taken(self, refusals: list[Refusal]) -> None:
        if refusals:
            raise StoreError(f"{self.address}: a mean is refused: {refusals[0].problem}")

    def _server_version(self) -> Version:
        if self._version is None:
            self._version = find_version(self._connection)
        return self._version

    def _names(self, series: Iterable[int]) -> Mapping[int, SeriesName]:
        return self._catalogue.all_names(series)

    def _collected(
        self, bucket: str, statements: Sequence[str], wanted: set[int], channels: Sequence[str] = ()
    ) -> Collected:
        """What these statements find of the wanted series; statement n is about channel n where channels are given."""
        found = Collected()
        for start in range(0, len(statements), _STATEMENTS_AT_ONCE):
            for at, tables in enumerate(self._tables(bucket, statements[start : start + _STATEMENTS_AT_ONCE]), start):
                for table in tables:
                    self._collect(table, wanted, channels[at : at + 1] or table.columns[1:], found)
        return found

    def _collect(self, table: influxql.Table, wanted: set[int], channels: Sequence[str], found: Collected) -> None:
        tags = table.tags
        columns = list(zip(*table.values, strict=True))
        for channel, column in zip(channels, columns[1:], strict=True):
            key = (tags.get("home", ""), tags.get("edge", ""), tags.get("device", ""), channel)
            series = self._catalogue.id_of(key)
            if series in wanted:
                found.add(series, columns[0], column)

    def _tables(self, bucket: str, statements: Sequence[str]) -> list[list[influxql.Table]]:
        if not statements:
            return []
        form = [("db", bucket), ("epoch", "ms"), ("q", "; ".join(statements))]
        try:
            return influxql.parse(self._connection.post_form("/query", form))
        except StoreError as error:
            if self._connection.url in str(error):
                raise
            raise StoreError(f"{self.address}: {error}") from error


def bucket_of(bucket: str, period_ms: int) -> str:
    """Means have buckets of their own, because what is kept for how long is a matter of the bucket."""
    return f"{bucket}_{period_name(period_ms)}"
