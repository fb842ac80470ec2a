import asyncio

import msgspec
import pytest
from structlog.testing import capture_logs

from ingest_service.alarms.lifecycle import Place
from ingest_service.alarms.vocabulary import Kind
from ingest_service.errors import StoreError
from ingest_service.notify.notifiers import open_notifiers
from ingest_service.store.deliveries import DeliveryState
from ingest_service.workers.deliver import DeliverWorker
from ingest_service.workers.loop import run_every
from tests.ingest_service.alarms.examples import NOON, condition
from tests.ingest_service.workers.city import City
from tests.support.told import told_of
from tests.support.waiting import until


class Steps:
    """A step that fails where it is told to."""

    def __init__(self, failures: dict[int, Exception]) -> None:
        self.failures = failures
        self.seen: list[int] = []

    def __call__(self, now_ms: int) -> int:
        self.seen.append(now_ms)
        if len(self.seen) in self.failures:
            raise self.failures[len(self.seen)]
        return 0


async def run_until(steps: Steps, count: int) -> None:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(run_every("some", 0.001, steps, lambda: NOON + len(steps.seen), stop))
        await until(lambda: len(steps.seen) >= count)
        stop.set()


def test_a_worker_steps_with_the_time_until_it_is_told_to_stop() -> None:
    steps = Steps({})
    asyncio.run(run_until(steps, 3))
    assert steps.seen[:3] == [NOON, NOON + 1, NOON + 2]


def test_what_a_store_refuses_is_said_once_and_tried_again() -> None:
    steps = Steps({2: StoreError("disk full"), 3: StoreError("disk full")})
    with capture_logs() as logs:
        asyncio.run(run_until(steps, 5))
    failed = [entry for entry in logs if entry["event"] == "worker_step_failed"]
    assert [(entry["worker"], entry["error"]) for entry in failed] == [("some", "disk full")]


def test_a_bug_ends_the_loop() -> None:
    with pytest.raises(ExceptionGroup) as ended:
        asyncio.run(run_until(Steps({1: ZeroDivisionError()}), 2))
    assert ended.group_contains(ZeroDivisionError)


def test_workers_run_side_by_side_and_stop_together(city: City) -> None:
    notifiers = open_notifiers([], "service.toml")
    deliver = DeliverWorker(city.deliveries, notifiers, lambda: NOON)
    seen = msgspec.structs.replace(condition(Kind.STUCK_VALUE, NOON), place=Place("h1"))

    async def scenario() -> None:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for worker in (city.average, city.judge, city.watch, deliver):
                group.create_task(worker.run(stop))
            (row,) = city.alarms.settle([seen], NOON)
            await until(lambda: all(one.state is DeliveryState.ACCEPTED for one in told_of(city.engine, row.id)))
            stop.set()

    asyncio.run(scenario())
    assert len(city.alarms.open()) == 1
