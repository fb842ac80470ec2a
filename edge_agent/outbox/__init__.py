"""Store and forward on disk: what was read stays here until the centre holds it durably.

Owns blocks, their numbers, the epoch of the file, gaps and the bdSeq that must outlive a restart. Knows no MQTT and no
Modbus. `OutboxFile` is the plain file for one thread, `Outbox` its face towards asyncio with group commit.
"""

from edge_agent.outbox.block import Block, Released
from edge_agent.outbox.file import OutboxFile, OutboxState, read_state
from edge_agent.outbox.outbox import Outbox, open_outbox
from edge_agent.outbox.retag import TagName, ValueKind
from edge_agent.wire.gap import Gap, GapReason

__all__ = [
    "Block",
    "Gap",
    "GapReason",
    "Outbox",
    "OutboxFile",
    "OutboxState",
    "Released",
    "TagName",
    "ValueKind",
    "open_outbox",
    "read_state",
]
