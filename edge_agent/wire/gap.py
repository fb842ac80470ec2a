"""Gap records: what never reaches the centre, from when to when and why. They travel as NDATA of their own."""

from enum import StrEnum, unique

import msgspec

from edge_agent.wire.data import marked
from edge_agent.wire.sparkplug_b_pb2 import Payload

FIRST_GAP_BLOCK = 2**62  # numbers of gap records begin here; those of blocks of samples lie below
_LAST_GAP_BLOCK = 2**63 - 1
_LATEST_MS = 2**53  # later times are no times


@unique
class GapReason(StrEnum):
    """Why samples are missing. The labels travel and are stored: never rename one."""

    DISK_FULL = "disk_full"
    SIZE_LIMIT = "size_limit"
    AGE_LIMIT = "age_limit"
    CORRUPT_FILE = "corrupt_file"
    NOT_CONFIGURED = "not_configured"  # a change of the site file took the channel away before the link came back
    AGENT_STOPPED = "agent_stopped"  # stopped by people, and started again
    UNCLEAN_STOP = "unclean_stop"  # killed, or without power
    OVERRUN = "overrun"  # polls that were due and could not be made
    UNREACHABLE = "unreachable"  # the device was told dead: it could not be read
    CENTRE_RESTORED = "centre_restored"  # acknowledged to a centre that lost it since
    OTHER = "other"  # a reason of a newer edge


class Gap(msgspec.Struct, frozen=True):
    """Samples that never reach the centre; times are ms since 1970 UTC, both ends included.

    `device` is "" where the gap concerns the whole node; `from_ms` is 0 where its beginning is unknown. `samples` were
    read and lost, 0 where none was read or nobody can count them. `channels` names what is missing, () for all.
    `first_block` to `last_block` of the outbox `epoch` hold the lost blocks; all 0 where they had no numbers.
    """

    device: str
    from_ms: int
    to_ms: int
    samples: int
    reason: GapReason
    channels: tuple[str, ...] = ()
    epoch: int = 0
    first_block: int = 0
    last_block: int = 0


class NumberedGap(msgspec.Struct, frozen=True):
    """A gap record as it travels: `number` is acknowledged like that of a block, and never used for another gap."""

    number: int
    gap: Gap


class _Text(msgspec.Struct, omit_defaults=True):
    """The JSON of a gap record. Fields may be added, with a default; none is renamed or retyped."""

    device: str
    from_ms: int
    to_ms: int
    samples: int
    reason: str
    channels: tuple[str, ...] = ()
    epoch: int = 0
    first_block: int = 0
    last_block: int = 0


def encode_gap(
    record: NumberedGap, *, seq: int, sent_at_ms: int, block_alias: int, gap_alias: int, mark: int = 0
) -> bytes:
    """The NDATA of one gap record, marked historical so that other hosts take it for no live value."""
    payload = Payload(timestamp=sent_at_ms, seq=seq)
    at_ms = record.gap.to_ms
    number = payload.metrics.add(alias=block_alias, timestamp=at_ms, is_historical=True)
    number.long_value = marked(record.number, mark)
    text = payload.metrics.add(alias=gap_alias, timestamp=at_ms, is_historical=True)
    values = msgspec.structs.asdict(record.gap)
    text.string_value = msgspec.json.encode(_Text(**values)).decode()
    return payload.SerializeToString()


def decode_gap(number: int, text: str) -> NumberedGap:
    """Read a gap record. Raises ValueError on garbage; a reason that we do not know becomes OTHER."""
    try:
        found = msgspec.json.decode(text, type=_Text)
    except msgspec.DecodeError as error:
        raise ValueError(f"not a gap record: {error}") from error
    if not FIRST_GAP_BLOCK <= number <= _LAST_GAP_BLOCK:
        raise ValueError(f"{number} is no number of a gap record")
    if not 0 <= found.from_ms <= found.to_ms <= _LATEST_MS or not 0 <= found.samples <= _LATEST_MS:
        raise ValueError(f"a gap from {found.from_ms} to {found.to_ms} ms of {found.samples} samples has no sense")
    known = {reason.value for reason in GapReason}
    reason = GapReason(found.reason) if found.reason in known else GapReason.OTHER
    return NumberedGap(number, Gap(**{**msgspec.structs.asdict(found), "reason": reason}))
