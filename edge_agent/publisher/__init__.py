"""The edge's Sparkplug conversation with the broker: births, live data, history, acknowledgements, death.

Owns the connection (`link`, the edge's only MQTT import), the order and numbering of messages (`node`, pure), how fast
history may follow (`pacing`, pure), for which devices data may be sent (`presences`, pure) and what hosts say
(`hearing`). What is not acknowledged stays in the outbox.
"""

from edge_agent.publisher.counts import PublisherCounters
from edge_agent.publisher.link import Credentials
from edge_agent.publisher.node import Node, NodeBirths, tag_names
from edge_agent.publisher.pacing import Pacing, PacingLimits
from edge_agent.publisher.presences import Presence
from edge_agent.publisher.publisher import Publisher

__all__ = [
    "Credentials",
    "Node",
    "NodeBirths",
    "Pacing",
    "PacingLimits",
    "Presence",
    "Publisher",
    "PublisherCounters",
    "tag_names",
]
