"""The service's configuration file (TOML) as frozen structs; every default stands here with its unit and reason."""

import os
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec

from ingest_service.emissions.vocabulary import Fuel, UnitType
from ingest_service.errors import ConfigError

DAY_MS = 86_400_000
FOR_EVER = 0


class MqttVersion(StrEnum):
    """The protocol towards the broker. Version 5 costs more for each message and brings nothing to Sparkplug."""

    V3_1_1 = "3.1.1"
    V5 = "5"


class Broker(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The MQTT broker. The password stands in the environment variable that `password_env` names."""

    host: str = "127.0.0.1"
    port: int = 1883
    host_id: str = "clearstack"  # Sparkplug host application id: spBv1.0/STATE/<host_id>
    username: str = ""
    password_env: str = ""
    keepalive_s: int = 15  # a half-open link is noticed within 1.5 of these
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
    kind: StoreKind = StoreKind.EMBEDDED
    url: str = ""  # "" = this machine, at the server's usual port
    read_url: str = ""  # "" = the same as `url`
    metrics: tuple[str, ...] = ()  # () = /metrics of `url`
    bucket: str = "clearstack"  # InfluxDB: of raw samples; minute and hour means have <bucket>_minute and _hour
    org: str = ""
    token_env: str = ""  # name of the environment variable that holds the token (InfluxDB 1: name:password)
    ca_file: str = ""
    shared: bool = False  # several services, each for its own homes, write to this server
    # VictoriaMetrics says "written" before its disk has it: a process that was killed had lost the last 8 s.
    hold_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 20.0
    timeout_s: float = 10.0  # a slow answer to a large question is still one
    retention: Retention = Retention()


class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the page and the API listen. Loopback until someone decides otherwise."""

    host: str = "127.0.0.1"
    port: int = 8080


class Webhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One address that is told of every alarm (POST, JSON); `secret_env` names the variable with the signing key."""

    url: str
    secret_env: str = ""
    locale: str = "zh"


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
    silent_after_s: float = 60.0  # an edge that says nothing for so long is alarmed
    barometric_pa: float | None = None  # the site's air pressure; gas measured at stack state is not judged without it


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file."""

    broker: Broker = Broker()
    storage: Storage = Storage()
    http: Http = Http()
    judging: Judging = Judging()
    webhook: tuple[Webhook, ...] = ()


def load_config(path: Path) -> Config:
    """Read and check the file; paths in it are relative to it. Raises ConfigError with one clear line."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(str(path), "", f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), "", f"is no valid TOML: {error}") from error
    return _resolved(_converted(raw, path), path.parent)


def secret(variable: str, file: str, key: str) -> str:
    """The secret that an environment variable holds; "" where none is named. Raises ConfigError when it is not set."""
    if not variable:
        return ""
    try:
        return os.environ[variable]
    except KeyError:
        raise ConfigError(file, key, f"environment variable {variable} is not set") from None


def _converted(raw: dict[str, Any], path: Path) -> Config:
    try:
        return msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        text = str(error)
        problem, _, where = text.partition(" - at `$")
        raise ConfigError(str(path), where.strip("`.") or "top level", problem, _allowed(problem)) from error


def _allowed(problem: str) -> str:
    """The allowed keys, when the problem is an unknown one."""
    return ", ".join(Config.__struct_fields__) + " and their keys" if "unknown field" in problem else ""


def _resolved(config: Config, base: Path) -> Config:
    folder = str((base / config.storage.folder).resolve())
    storage = msgspec.structs.replace(config.storage, folder=folder)
    judging = msgspec.structs.replace(
        config.judging,
        packs=_packs_from(config.judging.packs, base),
        furnace=tuple(_rules_from(one, base) for one in config.judging.furnace),
    )
    return msgspec.structs.replace(config, storage=storage, judging=judging)


def _rules_from(one: FurnaceRules, base: Path) -> FurnaceRules:
    permit = str((base / one.permit).resolve()) if one.permit else ""
    return msgspec.structs.replace(one, packs=_packs_from(one.packs, base), permit=permit)


def _packs_from(names: tuple[str, ...], base: Path) -> tuple[str, ...]:
    """Names of packs as they are, files by their whole path."""
    return tuple(str((base / name).resolve()) if name.endswith(".toml") else name for name in names)


def _before_ms(days: int, now_ms: int) -> int | None:
    return None if days == FOR_EVER else now_ms - days * DAY_MS
