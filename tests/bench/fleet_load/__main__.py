"""One process of the load: connects its edges, is born, sends every furnace's scans at their time, heeds commands.

Prints a line of JSON a scan. When its input ends it sends no more, waits for the last acknowledgements, and ends.
"""

import argparse
import select
import sys
import time

import msgspec
import numpy as np

from tests.bench.fleet_load.edge import Block, SimulatedEdge
from tests.bench.fleet_load.furnace import FURNACES_AN_EDGE
from tests.bench.fleet_load.packets import Packets, data_packet

TICKS = 20  # a scan: each tick sends for as large a part of the edges
EDGES_BORN_A_TICK = 20
RESEND_AFTER_S = 20.0
RESENDS_A_TICK = 50
FAREWELL_S = 60.0
_IDLE_S = 0.05


class Progress(msgspec.Struct):
    """What one load process has done so far; `late_s` is how far it is behind its own schedule."""

    born: int = 0
    blocks_sent: int = 0
    blocks_acknowledged: int = 0
    blocks_resent: int = 0
    blocks_pending: int = 0
    rebirths: int = 0
    late_s: float = 0.0
    finished: bool = False


class Load:
    """Sends for the edges `[first, first + count)` of the fleet."""

    def __init__(self, port: int, first: int, count: int, seed: int) -> None:
        self.progress = Progress()
        self._packets = Packets(first, count, seed)
        self._edges = [SimulatedEdge(first + at, port) for at in range(count)]
        self._seq = np.zeros(count, np.int64)
        self._block = np.array([edge.next_block for edge in self._edges], np.int64)
        self._poll = select.epoll()
        self._by_descriptor = {edge.fileno(): at for at, edge in enumerate(self._edges)}
        for descriptor in self._by_descriptor:
            self._poll.register(descriptor, select.EPOLLIN)
        self._poll.register(sys.stdin.fileno(), select.EPOLLIN)
        self._stopping = False
        self._resend_from = 0

    def run(self, every_s: float) -> None:
        """Births, then scans, `every_s` apart, until told to stop; then wait for the last acknowledgements."""
        self._be_born()
        started, tick = time.monotonic(), 0
        while not self._stopping:
            due_s = started + tick * every_s / TICKS
            self._wait_until(due_s)
            self.progress.late_s = max(0.0, time.monotonic() - due_s)
            self._tick(tick // TICKS, tick % TICKS)
            tick += 1
        self._await_acknowledgements()
        self.progress.finished = True
        self._report()
        for edge in self._edges:
            edge.close()

    def _await_acknowledgements(self) -> None:
        """Until all have come, or none has for `FAREWELL_S`."""
        acknowledged, deadline = -1, 0.0
        while any(edge.pending for edge in self._edges):
            if self.progress.blocks_acknowledged > acknowledged:
                acknowledged, deadline = self.progress.blocks_acknowledged, time.monotonic() + FAREWELL_S
            if time.monotonic() > deadline:
                return
            self._wait_until(time.monotonic() + _IDLE_S)
            self._resend(RESENDS_A_TICK)
            self._report()

    def _be_born(self) -> None:
        for start in range(0, len(self._edges), EDGES_BORN_A_TICK):
            for at in range(start, min(start + EDGES_BORN_A_TICK, len(self._edges))):
                self._bear(at)
            self.progress.born = min(start + EDGES_BORN_A_TICK, len(self._edges))
            self._wait_until(time.monotonic() + _IDLE_S)
            self._report()

    def _bear(self, at: int) -> None:
        self._edges[at].births()
        self._seq[at] = self._edges[at].seq

    def _tick(self, scan: int, part: int) -> None:
        start, stop = (len(self._edges) * (part + one) // TICKS for one in (0, 1))
        if stop > start:
            self._send(slice(start, stop), scan)
        self._resend(RESENDS_A_TICK)
        if part == 0:
            self._report()

    def _send(self, part: slice, scan: int) -> None:
        now_ms = time.time_ns() // 1_000_000
        self._packets.patch(part, scan, now_ms, self._seq[part], self._block[part])
        sent_s = now_ms / 1000
        for at in range(part.start, part.stop):
            edge, block = self._edges[at], int(self._block[at])
            for furnace in range(FURNACES_AN_EDGE):
                edge.pending[block + furnace] = Block(furnace, scan, now_ms, sent_s)
            edge.send(self._packets.of(at))
        self._seq[part] = (self._seq[part] + FURNACES_AN_EDGE) % 256
        self._block[part] += FURNACES_AN_EDGE
        self.progress.blocks_sent += FURNACES_AN_EDGE * (part.stop - part.start)

    def _resend(self, at_most: int) -> None:
        """Blocks that nobody acknowledged go again, as history; a share of the edges is looked at each tick."""
        count = len(self._edges)
        for step in range(-(-count // TICKS)):
            at = (self._resend_from + step) % count
            edge = self._edges[at]
            edge.flush()
            oldest = next(iter(edge.pending.items()), None)
            while oldest and at_most > 0 and time.time() - oldest[1].sent_s > RESEND_AFTER_S:
                self._resend_block(at, *oldest)
                at_most -= 1
                oldest = next(iter(edge.pending.items()), None)
        self._resend_from = (self._resend_from + -(-count // TICKS)) % count

    def _resend_block(self, at: int, number: int, block: Block) -> None:
        edge = self._edges[at]
        samples = self._packets.samples(at, block.furnace, block.scan, block.measured_at_ms)
        seq = int(self._seq[at])
        edge.send(data_packet(edge.number, block.furnace, samples, seq, number, historical=True))
        self._seq[at] = (seq + 1) % 256
        block.sent_s = time.time()
        edge.pending[number] = edge.pending.pop(number)  # to the end: the oldest stands first
        self.progress.blocks_resent += 1

    def _wait_until(self, moment_s: float) -> None:
        """Heed commands until then, at least once."""
        while True:
            for descriptor, _ in self._poll.poll(max(0.0, moment_s - time.monotonic())):
                if descriptor == sys.stdin.fileno():
                    self._poll.unregister(descriptor)
                    self._stopping = True
                else:
                    self._heed(self._by_descriptor[descriptor])
            if time.monotonic() >= moment_s:
                return

    def _heed(self, at: int) -> None:
        edge = self._edges[at]
        for command in edge.commands():
            if command.rebirth:
                self.progress.rebirths += 1
                self._bear(at)
            if command.acknowledgement is not None:
                for first, last in command.acknowledgement.ranges:
                    for number in range(first, last + 1):
                        known = edge.pending.pop(number, None) is not None
                        self.progress.blocks_acknowledged += known

    def _report(self) -> None:
        self.progress.blocks_pending = self.progress.blocks_sent - self.progress.blocks_acknowledged
        sys.stdout.buffer.write(msgspec.json.encode(self.progress) + b"\n")
        sys.stdout.buffer.flush()


def main() -> None:
    """Run one load process."""
    parser = argparse.ArgumentParser(prog="fleet_load")
    for name in ("port", "first", "edges", "seed"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--every", type=float, required=True, help="seconds from scan to scan")
    options = parser.parse_args()
    Load(options.port, options.first, options.edges, options.seed).run(options.every)


if __name__ == "__main__":
    main()
