import random
from itertools import pairwise

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from ingest_service.alarms.messages import Medium
from ingest_service.alarms.vocabulary import Kind
from ingest_service.config import Webhook
from ingest_service.notify.notifiers import configured_receivers, open_notifiers
from ingest_service.store.alarms import AlarmStore
from ingest_service.store.deliveries import DeliveryRow, DeliveryState, DeliveryStore
from ingest_service.store.tables import Home
from ingest_service.workers.deliver import BACKOFF_MS, DEADLINE_MS, JITTER, LEASE_MS, DeliverWorker
from tests.ingest_service.alarms.examples import NOON, ZONE, condition
from tests.ingest_service.notify.receiver import Inlet, listening
from tests.support.told import told_of


@pytest.fixture
def engine(database: Engine) -> Engine:
    with Session(database) as session, session.begin():
        session.add(Home(id="qingshan"))
    return database


class Post:
    """One alarm, told to one webhook and the inbox."""

    def __init__(self, engine: Engine, inlet: Inlet) -> None:
        webhooks = [Webhook(url=inlet.url)]
        self.alarms = AlarmStore(engine, configured_receivers(webhooks), ZONE)
        self.engine, self.deliveries = engine, DeliveryStore(engine)
        self.notifiers = open_notifiers(webhooks, "service.toml")
        self.worker = DeliverWorker(self.deliveries, self.notifiers, lambda: NOON, random.Random(7))
        (row,) = self.alarms.settle([condition(Kind.STUCK_VALUE, NOON)], NOON)
        self.alarm_id = row.id

    def webhook(self) -> DeliveryRow:
        rows = told_of(self.engine, self.alarm_id)
        return next(row for row in rows if row.receiver.medium is Medium.WEBHOOK)

    def close(self) -> None:
        for notifier in self.notifiers.values():
            notifier.close()


def test_a_raised_alarm_reaches_the_webhook_and_both_inboxes(engine: Engine) -> None:
    with listening(200) as inlet:
        post = Post(engine, inlet)
        assert post.worker.step(NOON + 1_000) == 3
        assert post.worker.step(NOON + 2_000) == 0
        post.close()
    rows = told_of(post.engine, post.alarm_id)
    assert {row.state for row in rows} == {DeliveryState.ACCEPTED}
    assert {row.sent_at_ms for row in rows} == {NOON + 1_000}
    assert len(inlet.requests) == 1


def test_a_failing_receiver_is_tried_again_with_growing_delays_and_every_attempt_is_recorded(engine: Engine) -> None:
    with listening(503, 429, 200) as inlet:
        post = Post(engine, inlet)
        due_ms = [NOON]
        for attempt in (1, 2, 3):
            post.worker.step(due_ms[-1])
            assert len(inlet.requests) == attempt
            due_ms.append(post.webhook().due_at_ms)
            post.worker.step(due_ms[-1] - 1)
            assert len(inlet.requests) == attempt
        post.close()
    row = post.webhook()
    assert (row.state, row.attempts) == (DeliveryState.ACCEPTED, 3)
    newest_first = row.record.splitlines()
    assert ["HTTP 200" in newest_first[0], "HTTP 429" in newest_first[1], "HTTP 503" in newest_first[2]] == [True] * 3
    waited = [later - earlier for earlier, later in pairwise(due_ms[:3])]
    for delay, nominal in zip(waited, BACKOFF_MS, strict=False):
        assert nominal * (1 - JITTER) <= delay <= nominal * (1 + JITTER)


def test_a_refused_message_is_dead_at_once(engine: Engine) -> None:
    with listening(404) as inlet:
        post = Post(engine, inlet)
        post.worker.step(NOON)
        post.close()
    assert post.webhook().state is DeliveryState.DEAD


def test_a_message_is_given_up_at_its_deadline(engine: Engine) -> None:
    with listening(503) as inlet:
        post = Post(engine, inlet)
        while (row := post.webhook()).state is DeliveryState.PENDING:
            post.worker.step(row.due_at_ms)
        post.close()
    assert row.state is DeliveryState.DEAD
    assert row.due_at_ms <= NOON + DEADLINE_MS
    assert len(row.record.splitlines()) == row.attempts == len(inlet.requests) > len(BACKOFF_MS)


def test_a_message_whose_sender_died_is_sent_again_after_its_lease(engine: Engine) -> None:
    with listening(200) as inlet:
        post = Post(engine, inlet)
        assert len(post.deliveries.lease(NOON, LEASE_MS, 10)) == 3
        assert post.worker.step(NOON + LEASE_MS - 1) == 0
        assert post.worker.step(NOON + LEASE_MS) == 3
        post.close()
    assert (post.webhook().state, post.webhook().attempts) == (DeliveryState.ACCEPTED, 2)


def test_a_slow_receiver_does_not_hold_up_the_inbox(engine: Engine) -> None:
    with listening(503) as inlet:
        post = Post(engine, inlet)
        post.worker.step(NOON)
        post.close()
    states = {row.receiver.medium: row.state for row in told_of(post.engine, post.alarm_id)}
    assert states == {Medium.WEBHOOK: DeliveryState.PENDING, Medium.INBOX: DeliveryState.ACCEPTED}
