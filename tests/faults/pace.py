"""How hard each transport is driven: lines that are asked at once, and the time that each waits for an answer (s)."""

from edge_agent.modbus.connection import Transport

# Handshakes of TLS are work for both sides, and must not outlast the timeout on a busy machine.
PACE = {transport: (40, 0.05) for transport in Transport} | {Transport.TLS: (12, 0.1)}
