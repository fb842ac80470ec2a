"""What the outbox keeps: blocks of samples, and the gaps that it had to leave."""

import msgspec

from edge_agent.wire.gap import Gap, GapReason
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


class Released(msgspec.Struct, frozen=True):
    """What an acknowledgement let go."""

    blocks: int = 0
    samples: int = 0


def gap_of(block: Block, reason: GapReason, epoch: int) -> Gap:
    """The gap that a lost block of that outbox leaves."""
    return Gap(
        device=block.device,
        from_ms=block.from_ms,
        to_ms=block.to_ms,
        samples=len(block.samples),
        reason=reason,
        epoch=epoch,
        first_block=block.number,
        last_block=block.number,
    )


def joined(earlier: Gap, later: Gap) -> Gap:
    """Two gaps of one device, reason and epoch as one."""
    return Gap(
        device=earlier.device,
        from_ms=min(earlier.from_ms, later.from_ms),
        to_ms=max(earlier.to_ms, later.to_ms),
        samples=earlier.samples + later.samples,
        reason=earlier.reason,
        channels=earlier.channels,
        epoch=earlier.epoch,
        first_block=min(earlier.first_block, later.first_block),
        last_block=max(earlier.last_block, later.last_block),
    )


def encode_samples(samples: tuple[Sample, ...]) -> bytes:
    """Samples as the MessagePack that lies on the disk."""
    return _encoder.encode(samples)


def decode_samples(packed: bytes) -> tuple[Sample, ...]:
    """Samples from the disk. Raises msgspec.DecodeError where the bytes are damaged."""
    return _decoder.decode(packed)
