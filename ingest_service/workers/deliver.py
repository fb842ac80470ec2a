"""Carries due messages to their receivers, and tries again what did not arrive."""

import asyncio
import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import structlog

from ingest_service.alarms.messages import Medium
from ingest_service.notify.notifier import Notifier, Outcome, Receipt
from ingest_service.store.deliveries import DeliveryRow, DeliveryStore
from ingest_service.workers.loop import run_every

INTERVAL_S = 1.0
AT_ONCE = 16  # messages under way at a time
LEASE_MS = 60_000  # longer than any attempt takes; after a crash the message is due again
DEADLINE_MS = 2 * 3_600_000  # after the step; news older than that helps nobody
BACKOFF_MS = (15_000, 60_000, 300_000, 900_000)  # the last one repeats
JITTER = 0.2  # share by which a delay varies, so that messages do not return all at once

_log = structlog.get_logger()


class DeliverWorker:
    """Takes due deliveries under a lease, sends them side by side, records every attempt."""

    def __init__(
        self,
        deliveries: DeliveryStore,
        notifiers: Mapping[Medium, Notifier],
        clock: Callable[[], int],
        chance: random.Random | None = None,
    ) -> None:
        self._deliveries = deliveries
        self._notifiers = notifiers
        self._clock = clock
        self._chance = chance or random.Random()

    def step(self, now_ms: int) -> int:
        """Try what is due once; return the number of attempts."""
        due = self._deliveries.lease(now_ms, LEASE_MS, AT_ONCE)
        if not due:
            return 0
        with ThreadPoolExecutor(max_workers=len(due), thread_name_prefix="deliver") as pool:
            receipts = list(pool.map(lambda row: self._send(row, now_ms), due))
        for row, receipt in zip(due, receipts, strict=True):
            self._record(row, receipt, now_ms)
        return len(due)

    async def run(self, stop: asyncio.Event) -> None:
        """Step until told to stop."""
        await run_every("deliver", INTERVAL_S, self.step, self._clock, stop)

    def _send(self, row: DeliveryRow, now_ms: int) -> Receipt:
        return self._notifiers[row.receiver.medium].send(row.receiver, row.message, now_ms)

    def _record(self, row: DeliveryRow, receipt: Receipt, now_ms: int) -> None:
        line = f"{_moment(now_ms)} attempt {row.attempts}: {receipt.outcome}: {receipt.detail}"
        again_ms = now_ms + self.delay_ms(row.attempts)
        if receipt.outcome is Outcome.ACCEPTED:
            self._deliveries.accepted(row.id, now_ms, line)
        elif receipt.outcome is Outcome.RETRY and again_ms <= row.message.recorded_at_ms + DEADLINE_MS:
            self._deliveries.again(row.id, again_ms, line)
        else:
            self._deliveries.dead(row.id, now_ms, line)
            _log.error("delivery_given_up", delivery=row.id, alarm=row.alarm_id, last=receipt.detail)

    def delay_ms(self, attempts: int) -> int:
        """How long to wait after so many attempts, in ms."""
        delay_ms = BACKOFF_MS[min(attempts, len(BACKOFF_MS)) - 1]
        return round(delay_ms * self._chance.uniform(1 - JITTER, 1 + JITTER))


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
