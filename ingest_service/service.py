"""The composition root: opens what the configuration names, starts the workers and the API, decides nothing."""

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import structlog
from sqlalchemy import Engine

from ingest_service.api.app import create_app
from ingest_service.api.context import Check, Context
from ingest_service.api.health import answers, broker_check, ingest_check, store_check
from ingest_service.api.server import ApiServer
from ingest_service.config import Broker, Config
from ingest_service.credentials import secret
from ingest_service.emissions.rulebook import RuleBook
from ingest_service.errors import ServiceError
from ingest_service.intake.arrivals import ArrivalQueue
from ingest_service.intake.subscriber import BrokerAddress, Subscriber
from ingest_service.notify.notifiers import configured_receivers, open_notifiers
from ingest_service.people.sealing import Sealer
from ingest_service.people.settings import SignIn
from ingest_service.rules import rule_book
from ingest_service.store.alarms import AlarmStore
from ingest_service.store.audit import HEAD_FILE, AuditTrail
from ingest_service.store.channels import Channels
from ingest_service.store.channels_cache import ChannelsCache
from ingest_service.store.cycles import CycleStore
from ingest_service.store.database import database_url, open_database
from ingest_service.store.deliveries import DeliveryStore
from ingest_service.store.derived.opening import open_derived_store
from ingest_service.store.energy import EnergyStore
from ingest_service.store.first_admin import ACCOUNT, make_first_admin
from ingest_service.store.gaps import GapLog
from ingest_service.store.judgements import JudgementStore
from ingest_service.store.lessons import LessonStore
from ingest_service.store.live import LiveTable
from ingest_service.store.marks import MarkStore
from ingest_service.store.opening import open_series_store
from ingest_service.store.organisation import PeopleStores, open_people
from ingest_service.store.overview import Reader, Scope, ping
from ingest_service.store.registry import Registry
from ingest_service.store.rejections import RejectionLog
from ingest_service.store.remarks import RemarkLog
from ingest_service.store.seal_key import take_up
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers.average import AverageWorker, telling
from ingest_service.workers.cycle_reading import CycleSite
from ingest_service.workers.cycles import CycleWorker
from ingest_service.workers.deliver import DeliverWorker
from ingest_service.workers.derive import DeriveWorker, Sources
from ingest_service.workers.expect import ExpectWorker
from ingest_service.workers.explaining import Explainer
from ingest_service.workers.ingest import MESSAGES_A_STEP, Current, IngestWorker, Records
from ingest_service.workers.judge import JudgeWorker, Why
from ingest_service.workers.lessons import Lessons
from ingest_service.workers.loop import Worker
from ingest_service.workers.plant import StoredPlant
from ingest_service.workers.seal import SealWorker
from ingest_service.workers.shared import SharedMinuteTally, SharedStandingValues
from ingest_service.workers.verdicts import Site
from ingest_service.workers.watch import WatchWorker

_log = structlog.get_logger(__name__)


def wall_ms() -> int:
    """The centre's clock: ms since 1970 UTC."""
    return time.time_ns() // 1_000_000


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """What several workers and the API have in common."""

    live: LiveTable
    channels: Callable[[], Channels]
    site: Site
    trail: AuditTrail
    alarms: AlarmStore
    people: PeopleStores
    plant: StoredPlant
    judge: JudgeWorker
    explainer: Explainer


class Service:
    """Everything that runs in one process. `file` is the configuration file that errors name."""

    def __init__(self, config: Config, file: str, engine: Engine, store: TimeSeriesStore) -> None:
        self._config, self._engine, self._store = config, engine, store
        self._notifiers = open_notifiers(config.webhook, file)
        self._derived = open_derived_store(config.storage, file)
        book = rule_book(config.judging, file)
        registry, self._queue = Registry(engine), ArrivalQueue()
        current = Current(LiveTable(), SharedMinuteTally(), SharedStandingValues())
        current.live.load(store.latest())
        self._subscriber = Subscriber(_address(config.broker, file), self._queue, wall_ms)
        self._ingest = self._intake(registry, current)
        shared = self._shared(registry, current.live, book, take_up(engine, config.storage, file))
        if config.people.sign_in is SignIn.REQUIRED:
            _let_first_in(shared.people)
        self._workers = self._made_workers(shared, current)
        context = self._context(shared)
        self._api = ApiServer(create_app(context), context)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`. Raises ServiceError when the HTTP address is taken."""
        listener = self._listen()
        silence = threading.Event()
        self._subscriber.start()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._api.serve(sockets=[listener]), name="api")
            group.create_task(asyncio.to_thread(self._ingest.run, silence), name="ingest")
            for name, worker in self._workers.items():
                group.create_task(worker.run(stop), name=name)
            _log.info("service_started", page=f"http://{self._config.http.host}:{self._config.http.port}")
            await stop.wait()
            self._subscriber.stop()
            silence.set()
            self._api.stop()
        for notifier in self._notifiers.values():
            notifier.close()
        self._derived.close()
        _log.info("service_stopped")

    def _intake(self, registry: Registry, current: Current) -> IngestWorker:
        records = Records(registry, self._store, RejectionLog(self._engine), GapLog(self._engine))
        reorder_timeout_ms = round(self._config.broker.reorder_timeout_s * 1000)
        publish = self._subscriber.publish_all
        return IngestWorker(self._queue, records, current, publish, wall_ms, reorder_timeout_ms)

    def _shared(self, registry: Registry, live: LiveTable, book: RuleBook, sealer: Sealer) -> Shared:
        config, engine, store = self._config, self._engine, self._store
        channels, zone = ChannelsCache(registry).current, ZoneInfo(config.judging.time_zone)
        trail = AuditTrail(engine, Path(config.storage.folder) / HEAD_FILE)
        trail.compare_end()
        alarms = AlarmStore(engine, configured_receivers(config.webhook), zone, trail)
        site = Site(book, zone, config.judging.barometric_pa, config.judging.charge_at_least_c)
        judgements, plant = JudgementStore(engine), StoredPlant(CycleStore(engine), MarkStore(engine, trail))
        return Shared(
            live=live,
            channels=channels,
            site=site,
            trail=trail,
            alarms=alarms,
            people=open_people(engine, trail, config.people.admit, sealer),
            plant=plant,
            judge=JudgeWorker(store, channels, judgements, alarms, site, wall_ms, plant),
            explainer=Explainer(store, judgements, site, plant),
        )

    def _made_workers(self, shared: Shared, current: Current) -> dict[str, Worker]:
        store, channels, alarms, judge = self._store, shared.channels, shared.alarms, shared.judge
        cycles, edges, silent_after_s = self._cycles(shared), self._ingest.edges, self._config.judging.silent_after_s
        lessons = Lessons(store, LessonStore(self._engine), shared.plant.marks)
        return {
            "average": AverageWorker(store, channels, telling(judge.touched, cycles.touched), wall_ms, current.tally),
            "judge": judge,
            "cycles": cycles,
            "watch": WatchWorker(store, channels, edges, alarms, silent_after_s, wall_ms, current.standing),
            "expect": ExpectWorker(store, channels, alarms, self._derived, lessons, wall_ms),
            "deliver": DeliverWorker(DeliveryStore(self._engine), self._notifiers, wall_ms),
            "seal": SealWorker(store, self._config.storage.retention, wall_ms),
            "derive": DeriveWorker(self._derive_from(shared), self._derived, wall_ms),
        }

    def _cycles(self, shared: Shared) -> CycleWorker:
        judging = self._config.judging
        return CycleWorker(
            self._store,
            shared.channels,
            shared.plant.cycle_store,
            EnergyStore(self._engine),
            CycleSite(ZoneInfo(judging.time_zone), judging.barometric_pa, self._config.cremations),
            lambda hours, now_ms: shared.judge.reopen(hours, Why.CREMATIONS, now_ms),
            wall_ms,
        )

    def _derive_from(self, shared: Shared) -> Sources:
        return Sources(
            reader=Reader(self._engine, Scope()),
            store=self._store,
            channels=shared.channels,
            live=shared.live,
            edges=self._ingest.edges,
            previews=shared.judge.previews,
            counters=self._ingest.counters,
            packs=shared.site.book.packs,
            zone=shared.site.zone,
            silent_after_s=self._config.judging.silent_after_s,
            retention=self._config.storage.retention,
        )

    def _context(self, shared: Shared) -> Context:
        judge = shared.judge
        return Context(
            reader=lambda scope: Reader(self._engine, scope),
            alarms=shared.alarms,
            audit=shared.trail,
            people=shared.people,
            marks=shared.plant.mark_store,
            remarks=RemarkLog(self._engine, shared.trail),
            marked=judge.marked,
            awaits=judge.awaits,
            store=self._store,
            derived=self._derived,
            live=shared.live,
            channels=shared.channels,
            edges=self._ingest.edges,
            previews=judge.previews,
            advice=judge.advice,
            explain=lambda *asked: shared.explainer.explain(shared.channels(), *asked),
            counters=self._ingest.counters,
            book=shared.site.book,
            config=self._config,
            clock=wall_ms,
            checks=self._checks(),
            version=version("clearstack"),
            closing=threading.Event(),
        )

    def _listen(self) -> socket.socket:
        http = self._config.http
        try:
            return self._api.listen()
        except OSError as error:
            raise ServiceError(f"cannot listen on {http.host}:{http.port}: {error.strerror}") from error

    def _checks(self) -> tuple[Check, ...]:
        return (
            answers("database", lambda: ping(self._engine)),
            store_check(self._store),
            Check("writing", lambda: self._ingest.problem),
            broker_check(lambda: self._subscriber.online),
            ingest_check(self._ingest.counters, MESSAGES_A_STEP),
        )


def _let_first_in(people: PeopleStores) -> None:
    """Shown once and kept nowhere; `ingest-service user reset admin` makes another one."""
    password = make_first_admin(people.people, wall_ms())
    if password is not None:
        _log.warning("first_account_made", account=ACCOUNT, shown_once=password, change_it_within_days=7)


def run_service(config: Config, file: str) -> None:
    """Run the service until SIGTERM or SIGINT. Raises ServiceError where it cannot start."""
    folder = Path(config.storage.folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ServiceError(f"{file}: storage.folder: {folder} cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ServiceError(f"{file}: storage.folder: {folder} cannot be written")
    engine = open_database(database_url(folder, config.storage.database_url))
    store = open_series_store(config.storage, engine, file, wall_ms)
    try:
        asyncio.run(_run_until_signal(Service(config, file, engine, store)))
    finally:
        store.close()
        engine.dispose()


async def _run_until_signal(service: Service) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await service.run(stop)


def _address(broker: Broker, file: str) -> BrokerAddress:
    return BrokerAddress(
        host=broker.host,
        port=broker.port,
        host_id=broker.host_id,
        topics=broker.topics,
        keepalive_s=broker.keepalive_s,
        username=broker.username,
        password=secret(broker.password_env, broker.password_file, file, "broker.password"),
        ca_file=broker.ca_file,
        cert_file=broker.cert_file,
        key_file=broker.key_file,
        mqtt=broker.mqtt,
    )
