"""What the outbox keeps: blocks of samples, and the gaps that it had to leave."""

from enum import StrEnum, unique

import msgspec

from edge_agent.wire.sample import Sample

NODE = ""  # the device name of the edge node's own channels

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[Sample, ...])


class Block(msgspec.Struct, frozen=True):
    """The samples of one device that travel together; `number` is never used for other samples in the same epoch."""

    number: int
    device: str
    samples: tuple[Sample, ...]

    @property
    def from_ms(self) -> int:
        """When its first sample was measured (ms since 1970 UTC)."""
        return min(sample.measured_at_ms for sample in self.samples)

    @property
    def to_ms(self) -> int:
        """When its last sample was measured (ms since 1970 UTC)."""
        return max(sample.measured_at_ms for sample in self.samples)


@unique
class GapReason(StrEnum):
    """Why samples were lost at the edge."""

    DISK_FULL = "disk_full"
    SIZE_LIMIT = "size_limit"
    AGE_LIMIT = "age_limit"
    CORRUPT_FILE = "corrupt_file"
    NOT_CONFIGURED = "not_configured"  # a change of the site file took the channel away before the link came back


class Gap(msgspec.Struct, frozen=True):
    """Samples that never reach the centre. `samples` is 0 where nobody can count them any more.

    `device` is "" where the gap concerns the whole node; `from_ms` is 0 where its beginning is unknown.
    """

    device: str
    from_ms: int
    to_ms: int
    samples: int
    reason: GapReason


class Released(msgspec.Struct, frozen=True):
    """What an acknowledgement let go."""

    blocks: int = 0
    samples: int = 0


def gap_of(block: Block, reason: GapReason) -> Gap:
    """The gap that a lost block leaves."""
    return Gap(block.device, block.from_ms, block.to_ms, len(block.samples), reason)


def encode_samples(samples: tuple[Sample, ...]) -> bytes:
    """Samples as the MessagePack that lies on the disk."""
    return _encoder.encode(samples)


def decode_samples(packed: bytes) -> tuple[Sample, ...]:
    """Samples from the disk. Raises msgspec.DecodeError where the bytes are damaged."""
    return _decoder.decode(packed)
