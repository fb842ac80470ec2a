import pytest

from ingest_service.errors import StoreError
from ingest_service.store.influx import influxql
from ingest_service.store.remote.names import series_name

NAMES = [
    series_name(1, 1, "o'hara", "gw", "plc", "co", "1"),
    series_name(2, 1, "o'hara", "gw", "plc", "o2", "1"),
    series_name(3, 2, "o'hara", "gw", "", "uptime", None),
    series_name(4, 3, "west", "gw", "plc", "co", "1"),
]


def test_one_statement_an_edge_names_its_devices_and_channels() -> None:
    first, second = influxql.select("sample", NAMES, 5, 9)
    assert first == (
        'SELECT "co", "o2", "uptime" FROM "sample" WHERE "home" = \'o\\\'hara\' AND "edge" = \'gw\' AND '
        '("device" = \'#node\' OR "device" = \'plc\') AND time >= 5ms AND time < 9ms GROUP BY "home", "edge", "device"'
    )
    assert second.startswith('SELECT "co" FROM "sample" WHERE "home" = \'west\'')


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error":"database is required"}', "database is required"),
        (b'{"results":[{"statement_id":0,"error":"database not found: x"}]}', "database not found"),
        (b"<html>", "not understood"),
    ],
)
def test_an_answer_that_says_why_not_is_an_error(body: bytes, said: str) -> None:
    with pytest.raises(StoreError, match=said):
        influxql.parse(body)
