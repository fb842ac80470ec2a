from collections.abc import Sequence

from edge_agent.wire.birth import Birth, ChannelBirth, encode_birth
from edge_agent.wire.command import Command, decode_command, encode_death, encode_device_death
from edge_agent.wire.data import encode_data
from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import Sample
from edge_agent.wire.topic import MessageType, Topic
from ingest_service.intake.arrivals import Arrival
from ingest_service.intake.read_ahead import Packet

NOW_MS = 1_764_000_000_000
EPOCH = 2**64 - 7
BLOCK_ALIAS = 1
CHANNELS = ("co", "o2")
DATATYPES = {10: DataType.DOUBLE, 11: DataType.DOUBLE}


class SpeakingEdge:
    """Speaks as our own edge does: one node, one device with co (alias 10) and o2 (alias 11)."""

    def __init__(self, home: str = "east", edge: str = "edge-1", *, device: str = "plc", first_alias: int = 10) -> None:
        self.home, self.edge, self.device = home, edge, device
        self.first_alias = first_alias
        self.bd_seq = 0
        self.epoch: int | None = EPOCH
        self.at_ms = NOW_MS
        self._seq = 0

    def topic(self, kind: MessageType) -> str:
        return str(Topic(self.home, kind, self.edge, self.device if kind.is_device else None))

    def births(self, first: Sequence[Sample] = ()) -> list[Arrival]:
        self._seq = 0
        node = Birth(channels=(), attributes={"HomeNameEn": "East"}, bd_seq=self.bd_seq, epoch=self.epoch)
        return [self._arrival(MessageType.NBIRTH, encode_birth(node, 0, self.at_ms)), self.device_birth(first)]

    def device_birth(self, first: Sequence[Sample] = ()) -> Arrival:
        channels = tuple(
            ChannelBirth(name=name, alias=self.first_alias + at, datatype=DataType.DOUBLE, unit="%", period_s=10.0)
            for at, name in enumerate(CHANNELS)
        )
        alias = None if self.epoch is None else BLOCK_ALIAS
        birth = Birth(channels=channels, samples=tuple(first), attributes={"Furnace": "F1"}, block_alias=alias)
        return self._arrival(MessageType.DBIRTH, encode_birth(birth, self._next_seq(), self.at_ms))

    def data(self, block: int, samples: Sequence[Sample], *, historical: bool = False) -> Arrival:
        payload = encode_data(
            samples,
            {self.first_alias + at: DataType.DOUBLE for at in range(9)},
            seq=self._next_seq(),
            sent_at_ms=self.at_ms,
            block=block,
            block_alias=BLOCK_ALIAS,
            historical=historical,
        )
        return self._arrival(MessageType.DDATA, payload)

    def death(self) -> Arrival:
        return self._arrival(MessageType.NDEATH, encode_death(self.bd_seq, self.at_ms))

    def device_death(self) -> Arrival:
        return self._arrival(MessageType.DDEATH, encode_device_death(self._next_seq(), self.at_ms))

    def lose_message(self) -> None:
        self._next_seq()

    def _next_seq(self) -> int:
        self._seq = (self._seq + 1) % 256
        return self._seq

    def _arrival(self, kind: MessageType, payload: bytes) -> Arrival:
        return Arrival(self.topic(kind), payload, self.at_ms)


class Spoken:
    """What the centre published, decoded."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, Command]] = []

    def publish(self, packets: Sequence[Packet]) -> None:
        self.commands += [(topic, decode_command(payload)) for topic, payload in packets]

    @property
    def rebirths(self) -> list[str]:
        return [topic for topic, command in self.commands if command.rebirth]

    @property
    def acknowledged(self) -> list[tuple[int, int]]:
        found = [command.acknowledgement for _, command in self.commands]
        return [pair for one in found if one is not None and one.epoch == EPOCH for pair in one.ranges]
