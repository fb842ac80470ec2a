"""What is fuzzed: each target takes bytes and lets only those errors pass that its subject promises."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import msgspec

from edge_agent.wire.birth import decode_birth
from edge_agent.wire.command import decode_command, decode_death, decode_state, parse_payload
from edge_agent.wire.data import decode_data
from edge_agent.wire.gap import decode_gap
from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import Sample
from edge_agent.wire.topic import MessageType, parse_topic
from ingest_service.influxql.parser import parse
from ingest_service.influxql.tokens import NotUnderstood
from ingest_service.intake.arrivals import Arrival, ArrivalQueue
from ingest_service.intake.scanning import scan
from tests.ingest_service.workers.edges import NOW_MS, SpeakingEdge

One = Callable[[bytes], None]
TYPES: Mapping[int | str, DataType] = MappingProxyType(
    {10: DataType.DOUBLE, 11: DataType.INT64, "text": DataType.STRING}
)
TOPICS = tuple(str(SpeakingEdge().topic(kind)) for kind in MessageType)
QUERIES = (
    'SELECT mean("value") FROM "co" WHERE "home" = \'a\' AND time >= 1764000000000ms GROUP BY time(1m) fill(0)',
    "SHOW TAG VALUES FROM nox WITH KEY = furnace WHERE home =~ /^(a|b)$/; SHOW MEASUREMENTS",
    'SELECT last("value") FROM "cremation" WHERE time > now() - 1d ORDER BY time DESC LIMIT 5',
)


class Target(msgspec.Struct, frozen=True):
    """`prepare` makes what is called with each input, in a folder of its own; `seeds` are where mutation begins."""

    prepare: Callable[[Path], One]
    seeds: tuple[bytes, ...]


def decoding(_folder: Path) -> One:
    """Every decoder of the wire. They promise ValueError or OverflowError."""

    def one(data: bytes) -> None:
        scan([data, data[1:]])
        for decode in (
            lambda: decode_birth(parse_payload(data)),
            lambda: decode_data(parse_payload(data), TYPES, 1),
            lambda: decode_death(parse_payload(data)),
            lambda: decode_command(data, (1, 2)),
            lambda: decode_state(data),
            lambda: decode_gap(1, data.decode("utf-8", "replace")),
            lambda: parse_topic(data.decode("utf-8", "replace")),
        ):
            with suppress(ValueError, OverflowError):
                decode()

    return one


def intake(folder: Path) -> One:
    """The service's intake down to the stored samples: an edge that was born says anything. Nothing may raise."""
    # The databases take a while to load, and the other targets need none.
    from ingest_service.anomaly.standing import StandingValues
    from ingest_service.emissions.minute_tally import MinuteTally
    from ingest_service.store.database import database_url, open_database
    from ingest_service.store.embedded import EmbeddedStore
    from ingest_service.store.gaps import GapLog
    from ingest_service.store.live import LiveTable
    from ingest_service.store.registry import Registry
    from ingest_service.store.rejections import RejectionLog
    from ingest_service.workers.ingest import Current, IngestWorker, Records

    engine = open_database(database_url(folder, ""))
    registry, queue = Registry(engine), ArrivalQueue()
    records = Records(registry, EmbeddedStore(folder / "store"), RejectionLog(engine), GapLog(engine))
    current = Current(LiveTable(), MinuteTally(), StandingValues())
    worker = IngestWorker(queue, records, current, lambda _: None, lambda: NOW_MS)

    def one(data: bytes) -> None:
        queue.put(*SpeakingEdge().births(), *messages(data))
        while len(queue):
            worker.step(0)

    return one


def messages(data: bytes) -> list[Arrival]:
    """The input as messages: each has a byte for its topic, two for its length, then its payload."""
    found = []
    while len(data) > 3:
        topic, length = TOPICS[data[0] % len(TOPICS)], int.from_bytes(data[1:3])
        found.append(Arrival(topic, data[3 : 3 + length], NOW_MS))
        data = data[3 + length :]
    return found


def influxql(_folder: Path) -> One:
    """The query language of dashboards. It promises NotUnderstood."""

    def one(data: bytes) -> None:
        with suppress(NotUnderstood):
            parse(data.decode("utf-8", "replace"), NOW_MS)

    return one


def spoken() -> list[Arrival]:
    """What an edge really says."""
    edge = SpeakingEdge()
    samples = [
        Sample(alias=10, measured_at_ms=NOW_MS, value=1.5),
        Sample(alias=11, measured_at_ms=NOW_MS, value=7.0),
    ]
    return [
        *edge.births(samples),
        edge.data(1, samples),
        edge.data(2, samples, historical=True),
        edge.device_death(),
        edge.death(),
    ]


def packed(arrivals: Sequence[Arrival]) -> bytes:
    """Messages as the intake's input."""
    return b"".join(bytes([TOPICS.index(one.topic)]) + len(one.payload).to_bytes(2) + one.payload for one in arrivals)


TARGETS: Mapping[str, Target] = MappingProxyType({
    "decoding": Target(decoding, tuple(one.payload for one in spoken())),
    "intake": Target(intake, (packed(spoken()), *(packed([one]) for one in spoken()))),
    "influxql": Target(influxql, tuple(query.encode() for query in QUERIES)),
})  # fmt: skip


def prepared(name: str) -> One:
    """That target, its folder gone with the process."""
    folder = Path(tempfile.mkdtemp(prefix="clearstack-fuzz-"))
    return TARGETS[name].prepare(folder)
