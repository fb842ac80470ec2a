"""The outbox towards asyncio: one writer thread, commits in groups, and what became durable is told in order."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import structlog

from edge_agent.config import OutboxLimits
from edge_agent.errors import OutboxError
from edge_agent.outbox.block import NODE, Block, Released
from edge_agent.outbox.file import OutboxFile, OutboxState
from edge_agent.outbox.retag import TagName
from edge_agent.outbox.schema import DamagedOutbox
from edge_agent.outbox.waiting import Waiting
from edge_agent.wire.birth import AcknowledgedRange
from edge_agent.wire.command import Acknowledgement, BlockRange
from edge_agent.wire.gap import FIRST_GAP_BLOCK, Gap, NumberedGap
from edge_agent.wire.sample import Sample

COMMIT_S = 0.2  # the wait that lets blocks share one sync of the disk
COMMIT_BLOCKS = 64  # a group of this size does not wait
MAX_COMMIT_BLOCKS = 256
_BD_SEQS = 256

Listener = Callable[[Sequence[Block]], None]
T = TypeVar("T")
_log = structlog.get_logger()


class Outbox:
    """Blocks on their way to the centre. `append` never waits for the disk; `run` writes, one group a commit."""

    def __init__(
        self,
        file: OutboxFile,
        limits: OutboxLimits,
        now_ms: Callable[[], int],
        writer: ThreadPoolExecutor,
        trusted_ms: Callable[[], int] | None = None,
    ) -> None:
        self.state: OutboxState = file.state()
        self.write_errors = 0
        self.refused_acknowledgements = 0
        self.listener: Listener = lambda blocks: None
        self._file, self._limits, self._now_ms, self._writer = file, limits, now_ms, writer
        self._trusted_ms = trusted_ms or now_ms
        self._last_number = self.durable_number = file.last_number
        self._bd_seq, self._is_bd_seq_kept = file.bd_seq, True
        self._waiting = Waiting()
        self._last_gap_number = FIRST_GAP_BLOCK - 1
        self._read_until_ms = 0
        self._tags: Mapping[int, TagName] = {}
        self._refusing_since_ms: int | None = None
        self._appended, self._group_full = asyncio.Event(), asyncio.Event()
        self._writing = asyncio.Lock()

    @property
    def epoch(self) -> int:
        """Names the file: block numbers mean something together with it only."""
        return self._file.epoch

    @property
    def newest_before_ms(self) -> int:
        """When the newest sample was measured that the file had seen when it was opened; 0 where it was new."""
        return self._file.newest_before_ms

    @property
    def last_number(self) -> int:
        """The number of the block appended last, durable or not."""
        return self._last_number

    @property
    def acknowledged(self) -> tuple[AcknowledgedRange, ...]:
        """The blocks of this epoch that were let go because a centre held them; the newest ranges."""
        return self._file.acknowledged

    @property
    def blocks_waiting(self) -> int:
        """Blocks that are not on the disk yet."""
        return len(self._waiting)

    async def append(self, device: str, samples: Sequence[Sample]) -> None:
        """Take one device's samples as a block ("" for the node itself); durable when the listener hears of it."""
        if not samples:
            return
        self._last_number += 1
        if device != NODE:
            self._read_until_ms = self._now_ms()
        self._waiting.add(Block(self._last_number, device, tuple(sorted(samples, key=_measured_at))), self.epoch)
        self._appended.set()
        if len(self._waiting) >= COMMIT_BLOCKS:
            self._group_full.set()

    def lose(self, gap: Gap) -> None:
        """Take a loss that happened before the outbox: it is written with the next group."""
        self._waiting.lose([gap])
        self._appended.set()

    async def run(self) -> None:
        """Write for ever; a refusing disk is counted and tried again."""
        while True:
            await self._appended.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(COMMIT_S):
                    await self._group_full.wait()
            if not await self.flush():
                await asyncio.sleep(COMMIT_S)

    async def flush(self) -> bool:
        """Write what waits, in groups that cannot exhaust the reserve of the disk; False where the disk refused."""
        async with self._writing:
            self._appended.clear()
            self._group_full.clear()
            while not self._waiting.is_empty:
                if not await self._write_group():
                    return False
            return True

    async def _write_group(self) -> bool:
        group = self._waiting.take(MAX_COMMIT_BLOCKS)
        try:
            await self._call(lambda: self._file.append(group.blocks, self._now_ms(), group.gaps, self._trusted_ms()))
        except OutboxError as error:
            self._refused(error)
            return False
        else:
            self._waiting.forget_taken()
        finally:
            self._waiting.let_go()
        self._tell(group.blocks)
        return True

    def accepts(self, acknowledgement: Acknowledgement) -> bool:
        """False, and counted, for one that names another epoch, or blocks or gap records that were never written."""
        beyond = any(not self._are_written(first, last) for first, last in acknowledgement.ranges)
        if acknowledgement.epoch == self.epoch and not beyond:
            return True
        self.refused_acknowledgements += 1
        return False

    async def release(self, ranges: Sequence[BlockRange]) -> Released:
        """Forget blocks and gap records that the centre holds, both ends included; nothing where the disk refuses."""
        try:
            return await self._call(lambda: self._file.delete(ranges))
        except OutboxError as error:
            self._refused(error)
            return Released()

    async def backlog(self, after: int, until: int, limit: int, skip: Set[int]) -> list[Block]:
        """The oldest durable blocks with after < number <= until, without those in `skip`. Raises OutboxError."""
        return await self._call(lambda: self._file.read(after, until, limit, skip))

    async def next_bd_seq(self) -> int:
        """The bdSeq of the next connection, 0 to 255.

        The next run does not know of one that the disk refuses. So that no two connections share one, the count then
        goes on elsewhere.
        """
        following = (self._bd_seq + 1) % _BD_SEQS
        try:
            await self._call(lambda: self._file.keep_bd_seq(following))
        except OutboxError as error:
            self._refused(error)
            if self._is_bd_seq_kept:
                following = (following + 1 + secrets.randbelow(_BD_SEQS - 2)) % _BD_SEQS
            self._is_bd_seq_kept = False
        else:
            self._is_bd_seq_kept = True
        self._bd_seq = following
        return following

    async def use_tags(self, tags: Mapping[int, TagName]) -> None:
        """Say what the aliases stand for, before anything is appended or published. Raises OutboxError."""
        self._tags = tags
        await self._call(lambda: self._file.use_tags(tags))

    def expect(self, periods_ms: Mapping[str, int]) -> None:
        """How often each device is read (ms), before anything is appended: a shorter pause of the agent is no gap."""
        self._file.expect(periods_ms)

    async def gaps(self) -> list[Gap]:
        """Every loss that the centre does not know yet, oldest first. Raises OutboxError."""
        return await self._call(self._file.gaps)

    async def gaps_to_send(self) -> list[NumberedGap]:
        """The gap records that the centre should hear of now, again where it did not answer. Raises OutboxError."""
        if not self.state.gaps_waiting:
            return []
        found = await self._call(lambda: self._file.hand_out_gaps(self._now_ms()))
        self._last_gap_number = max([self._last_gap_number, *(record.number for record in found)])
        return found

    async def give_up_waiting(self) -> None:
        """The process ends while the disk refuses: what waits becomes a gap, for which there is room in the reserve."""
        _log.error("outbox_closed_incomplete", blocks_lost=self._waiting.give_up(self.epoch))
        await self.flush()

    def close(self) -> None:
        """Say that the run ended, and close the file (in the writer thread)."""
        with suppress(OutboxError):  # then the next start takes it for a stop that was not clean
            self._file.end_run(self._read_until_ms)
        self._file.close()

    async def _call(self, work: Callable[[], T]) -> T:
        """Do `work` in the writer thread and refresh the state. Once begun it ends, even when we are cancelled.

        A file found damaged is set aside and replaced before the error goes on: the next try meets a new epoch.
        """

        def job() -> tuple[T, OutboxState]:
            try:
                return work(), self._file.state()
            except DamagedOutbox:
                self._file.close()
                self._file = OutboxFile.replace(self._limits, self._now_ms())
                self._file.use_tags(self._tags)
                self._file.go_on()
                raise

        done = asyncio.get_running_loop().run_in_executor(self._writer, job)
        try:
            result, self.state = await asyncio.shield(done)
        except asyncio.CancelledError:
            await asyncio.wait([done])
            raise
        return result

    def _tell(self, blocks: Sequence[Block]) -> None:
        """The blocks are on the disk."""
        if self._refusing_since_ms is not None:
            _log.info("outbox_recovered", refused_for_s=(self._now_ms() - self._refusing_since_ms) / 1000)
            self._refusing_since_ms = None
        if blocks:
            self.durable_number = blocks[-1].number
            self.listener(blocks)

    def _are_written(self, first: int, last: int) -> bool:
        if first < FIRST_GAP_BLOCK:
            return last <= self.durable_number
        return last <= self._last_gap_number

    def _refused(self, error: OutboxError) -> None:
        self.write_errors += 1
        self._appended.set()
        if self._refusing_since_ms is None:
            self._refusing_since_ms = self._now_ms()
            _log.error("outbox_failed", error=str(error))


def _measured_at(sample: Sample) -> int:
    return sample.measured_at_ms


@asynccontextmanager
async def open_outbox(
    limits: OutboxLimits, now_ms: Callable[[], int], trusted_ms: Callable[[], int] | None = None
) -> AsyncIterator[Outbox]:
    """The outbox of this process; what waits at the end is written before it closes. Raises OutboxError.

    `trusted_ms` is the time from which ages count (None: `now_ms`); 0 while it is not to be trusted.
    """
    with ThreadPoolExecutor(1, "outbox") as writer:
        file = await asyncio.get_running_loop().run_in_executor(writer, OutboxFile.open, limits, now_ms())
        await asyncio.get_running_loop().run_in_executor(writer, file.begin_run, now_ms())
        outbox = Outbox(file, limits, now_ms, writer, trusted_ms)
        try:
            yield outbox
        finally:
            if not await outbox.flush() and not await outbox.flush():  # by the second time a damaged file is replaced
                await outbox.give_up_waiting()
            await asyncio.get_running_loop().run_in_executor(writer, outbox.close)
