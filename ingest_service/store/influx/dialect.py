"""How the versions of InfluxDB differ: where lines go, and where questions are asked."""

from enum import Enum
from urllib.parse import urlencode

from ingest_service.store.remote.connection import Connection


class Version(Enum):
    """The line of a server."""

    V1 = "1"
    V2 = "2"
    V3 = "3"

    @classmethod
    def of(cls, header: str) -> "Version":
        """From the header that `/ping` answers with; v2.7.1 and 3.0.0-core are written so. Without one it is a 3."""
        first = header.lstrip("v")[:1]
        return {"1": cls.V1, "2": cls.V2}.get(first, cls.V3)


def find_version(connection: Connection) -> Version:
    """Ask the server."""
    return Version.of(connection.header("/ping", "X-Influxdb-Version"))


def write_lines(connection: Connection, version: Version, bucket: str, lines: bytes) -> None:
    """Lines with times in ms."""
    if version is Version.V1:
        connection.send("POST", f"/write?{urlencode({'db': bucket, 'precision': 'ms'})}", lines)
    else:
        connection.write_v2(bucket, lines)
