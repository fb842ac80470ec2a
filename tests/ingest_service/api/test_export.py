"""Files of a furnace's samples and means over the real server."""

import csv
import io
from pathlib import Path

import duckdb
import httpx
import pytest

from tests.support.city import HOUR_MS, NOW_MS, City

EXPORT = "/api/v1/homes/beishan/furnaces/furnace-1/export"
HOUR = {"from": NOW_MS - HOUR_MS, "to": NOW_MS}


def test_samples_of_a_channel_as_a_csv_that_a_spreadsheet_reads(city: City, client: httpx.Client) -> None:
    response = client.get(EXPORT, params={**HOUR, "channel": "phase"})
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="beishan-furnace-1-raw.csv"'
    assert response.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    held = city.store.raw([city.furnaces[0].series["phase"]], NOW_MS - HOUR_MS, NOW_MS)
    assert [float(row["value"]) for row in rows] == held.value.tolist()
    assert {(row["home"], row["channel"], row["reason"]) for row in rows} == {("beishan", "phase", "good")}
    assert all(row["time"].endswith("+08:00") for row in rows)


def test_minute_means_of_all_channels_as_parquet(city: City, client: httpx.Client, tmp_path: Path) -> None:
    response = client.get(EXPORT, params={**HOUR, "content": "minute", "format": "parquet"})
    file = tmp_path / "means.parquet"
    file.write_bytes(response.content)
    found = duckdb.connect().execute(f"SELECT count(*), count(DISTINCT channel) FROM '{file}' WHERE home = 'beishan'")
    held = city.store.means(60_000, list(city.furnaces[0].series.values()), NOW_MS - HOUR_MS, NOW_MS)
    assert found.fetchall() == [(len(held), len(set(held.series.tolist())))]


@pytest.mark.parametrize(
    ("path", "changes", "status", "said"),
    [
        (EXPORT, {"channel": "gold"}, 404, "no such channel"),
        (EXPORT.replace("furnace-1", "furnace-9"), {}, 404, "no furnace"),
        (EXPORT, {"from": NOW_MS - 2400 * HOUR_MS}, 422, "at most 100 days of one channel as raw"),
        (EXPORT, {"from": NOW_MS}, 422, "from must lie before to"),
    ],
)
def test_what_cannot_be_given_is_said(
    client: httpx.Client, path: str, changes: dict[str, str | int], status: int, said: str
) -> None:
    response = client.get(path, params={**HOUR, **changes})
    assert (response.status_code, said in response.text) == (status, True), response.text
