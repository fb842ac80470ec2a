"""The service's configuration file (TOML) as frozen structs; every default stands here with its unit and reason."""

from enum import StrEnum
from typing import Annotated

import msgspec

from edge_agent.wire.durations import DAY_MS
from edge_agent.wire.mqtt import MqttVersion
from ingest_service.alarms.vocabulary import Locale
from ingest_service.cycles.settings import Cremations
from ingest_service.emissions.vocabulary import Fuel, UnitType
from ingest_service.people.settings import People

FOR_EVER = 0
CERTIFICATES = ("ca_file", "cert_file", "key_file")  # files of the broker

Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]


class Broker(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The MQTT broker. The password is what the variable of `password_env` or the file `password_file` holds."""

    host: str = "127.0.0.1"
    port: Port = 1883
    host_id: str = "clearstack"  # Sparkplug host application id: spBv1.0/STATE/<host_id>
    username: str = ""
    password_env: str = ""
    password_file: str = ""
    keepalive_s: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 15  # a half-open link is noticed within 1.5 of these
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    topics: tuple[str, ...] = ("spBv1.0/#",)
    mqtt: MqttVersion = MqttVersion.V3_1_1
    # Messages wait for so long for one that is missing before the edge's births are asked for.
    reorder_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 2.0


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Days to keep each class of data; 0 is for ever.

    Raw samples are the evidence behind every judgement: five years and some days, so that a year is never cut.
    """

    raw_days: int = 1_860
    minute_days: int = 3_720
    hour_days: int = FOR_EVER

    def __post_init__(self) -> None:
        if min(self.raw_days, self.minute_days, self.hour_days) < 0:
            raise ValueError("days to keep data are 0 (for ever) or more")

    def raw_before_ms(self, now_ms: int) -> int | None:
        """Raw samples from before that time may go; None where none may."""
        return _before_ms(self.raw_days, now_ms)

    def minutes_before_ms(self, now_ms: int) -> int | None:
        """The same for minute means."""
        return _before_ms(self.minute_days, now_ms)

    def hours_before_ms(self, now_ms: int) -> int | None:
        """The same for hour means."""
        return _before_ms(self.hour_days, now_ms)


class StoreKind(StrEnum):
    """Where the time series are kept."""

    EMBEDDED = "embedded"
    INFLUXDB = "influxdb"
    VICTORIAMETRICS = "victoriametrics"


class Storage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where things are kept: `kind` says where the time series are; what stands below it is for a server.

    A cluster of VictoriaMetrics has `url` = http://vminsert:8480/insert/0/influx, `read_url` =
    http://vmselect:8481/select/0/prometheus and in `metrics` the /metrics of every vmstorage.
    """

    folder: str = "clearstack-data"
    database_url: str = ""  # "" = SQLite in `folder`; postgresql+psycopg://... for a city
    seal_key_env: str = ""  # seals secrets in that database: a variable that holds the key,
    seal_key_file: str = ""  # or a file; "" = seal.key in `folder`, made at the first start
    kind: StoreKind = StoreKind.EMBEDDED
    url: str = ""  # "" = this machine, at the server's usual port
    read_url: str = ""  # "" = the same as `url`
    metrics: tuple[str, ...] = ()  # () = /metrics of `url`
    bucket: str = "clearstack"  # InfluxDB: of raw samples; minute and hour means have <bucket>_minute and _hour
    org: str = ""
    token_env: str = ""  # name of the environment variable that holds the token (InfluxDB 1: name:password)
    token_file: str = ""  # or the file that holds it
    ca_file: str = ""
    shared: bool = False  # several services, each for its own homes, write to this server
    # VictoriaMetrics says "written" before its disk has it: a process that was killed had lost the last 8 s.
    hold_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 20.0
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=3_600)] = 10.0  # a slow answer to a large question is still one
    retention: Retention = Retention()


class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the page and the API listen. Loopback until someone decides otherwise."""

    host: str = "127.0.0.1"
    port: Port = 8080
    trusted_proxies: tuple[str, ...] = ()  # addresses or networks whose X-Forwarded-For and -Proto are believed


class Webhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One address that is told of every alarm (POST, JSON), signed with the key in `secret_env` or `secret_file`."""

    url: str
    secret_env: str = ""
    secret_file: str = ""
    locale: Locale = Locale.ZH


class FurnaceRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What holds for a furnace ("": every one of the home; home "": every home); the most specific entry counts.

    Either `packs` by name (or file), or those of a `jurisdiction` for its kind of furnace. A `permit` stands on top.
    """

    home: str = ""
    furnace: str = ""
    packs: tuple[str, ...] = ()
    jurisdiction: str = ""
    unit_type: UnitType = UnitType.CREMATOR
    fuel: Fuel | None = None
    permit: str = ""


class Judging(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which rule packs apply, and the zone in which hours and days begin."""

    packs: tuple[str, ...] = ("gb13801-2015-table2",)  # of every furnace that no entry below names
    furnace: tuple[FurnaceRules, ...] = ()
    time_zone: str = "Asia/Shanghai"
    charge_at_least_c: float | None = None  # the site's own minimum of the secondary chamber for a charge
    # An edge that says nothing for so long is alarmed.
    silent_after_s: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = 60.0
    barometric_pa: float | None = None  # the site's air pressure; gas measured at stack state is not judged without it


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file."""

    broker: Broker = Broker()
    storage: Storage = Storage()
    http: Http = Http()
    judging: Judging = Judging()
    cremations: Cremations = Cremations()
    webhook: tuple[Webhook, ...] = ()
    people: People = People()


def _before_ms(days: int, now_ms: int) -> int | None:
    return None if days == FOR_EVER else now_ms - days * DAY_MS
