"""The service's configuration file (TOML) as frozen structs; every default stands here with its unit and reason."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator
from enum import Enum, StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec

from ingest_service.alarms.vocabulary import Locale
from ingest_service.cycles.settings import Cremations
from ingest_service.emissions.rulepack import pack_names
from ingest_service.emissions.vocabulary import Fuel, UnitType
from ingest_service.errors import ConfigError
from ingest_service.people.settings import People, unfit

DAY_MS = 86_400_000
FOR_EVER = 0
_CERTIFICATES = ("ca_file", "cert_file", "key_file")

Part = TypeVar("Part", bound=msgspec.Struct)
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]


class MqttVersion(StrEnum):
    """The protocol towards the broker. Version 5 costs more for each message and brings nothing to Sparkplug."""

    V3_1_1 = "3.1.1"
    V5 = "5"


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


def load_config(path: Path) -> Config:
    """Read and check the file; paths in it are relative to it. Raises ConfigError with one clear line."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(str(path), "", f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), "", f"is no valid TOML: {error}") from error
    config = _resolved(_converted(raw, str(path)), path.parent)
    for key, problem, allowed in _unusable(config):
        raise ConfigError(str(path), key, problem, allowed)
    return config


def _converted(raw: dict[str, Any], file: str) -> Config:
    try:
        return msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$")
        raise _explained(problem, path.strip("`."), raw, file) from error


_OWN_KEY = re.compile(r"Object (?P<what>contains unknown|missing required) field `(?P<key>.*)`")


def _explained(problem: str, where: str, raw: dict[str, Any], file: str) -> ConfigError:
    """The validator's `problem` at a path like `webhook[0].url`, in the words of someone who edits the file."""
    shape, value = _at(where, raw)
    if found := _OWN_KEY.match(problem):
        key = f"{where}.{found['key']}" if where else found["key"]
        keys = shape.__struct_fields__
        if found["what"] == "missing required":
            return ConfigError(file, key, "is missing")
        return ConfigError(file, key, "unknown key" + _nearest(found["key"], keys), ", ".join(keys))
    allowed = _allowed(shape)
    if "Invalid enum value" in problem:
        return ConfigError(file, where, f"unknown value {value!r}{_nearest(str(value), list(shape))}", allowed)
    if allowed and "got" not in problem:
        return ConfigError(file, where, f"{value!r} is out of range", allowed)
    return ConfigError(file, where, _plain(problem), allowed)


def _at(where: str, raw: Any) -> tuple[Any, Any]:
    """What the key at a path should be, and what the file has there."""
    shape: Any = Config
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", where):
        if index:
            shape, raw = get_args(shape)[0], raw[int(index)]
        else:
            shape = next(field.type for field in msgspec.structs.fields(shape) if field.name == name)
            raw = raw[name]
        if type(None) in get_args(shape):
            shape = get_args(shape)[0]
    return shape, raw


def _allowed(shape: Any) -> str:
    """The values of an enumeration or the range of a number; "" where there is no such bound."""
    if isinstance(shape, type) and issubclass(shape, Enum):
        return ", ".join(str(member) for member in shape)
    if get_origin(shape) is not Annotated:
        return ""
    meta = get_args(shape)[1]
    low = f"more than {meta.gt}" if meta.gt is not None else str(meta.ge)
    return f"{low} to {meta.le}" if meta.gt is None else f"{low}, at most {meta.le}"


def _nearest(word: str, allowed: Iterable[str], likeness: float = 0.6) -> str:
    """A question that names the nearest allowed word, or "" where none is so like it (0 to 1)."""
    near = difflib.get_close_matches(word, list(allowed), n=1, cutoff=likeness)
    return f", did you mean {str(near[0])!r}?" if near else ""


_PLAIN = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}


def _plain(problem: str) -> str:
    """`Expected `int`, got `str`` as "expected a whole number, got text"."""
    named = re.sub(r"`(\w+)(?: \| null)?`", lambda kind: _PLAIN.get(kind[1], kind[1]), problem)
    return named[:1].lower() + named[1:]


def _unusable(config: Config) -> Iterator[tuple[str, str, str]]:
    """What no type can say: key, problem and what is allowed."""
    yield from _missing_files(config)
    zone = config.judging.time_zone
    if not _is_zone(zone):
        hint = _nearest(zone, sorted(available_timezones()))
        yield "judging.time_zone", f"unknown time zone {zone!r}{hint}", "names as Asia/Shanghai, Europe/Berlin, UTC"
    yield from _unknown_packs(config.judging)
    yield from _no_networks(config.http.trusted_proxies)
    yield from unfit(config.people, config.http.host)
    for at, webhook in enumerate(config.webhook):
        if not _is_web_address(webhook.url):
            yield f"webhook[{at}].url", f"{webhook.url!r} is no address", "http://..., https://..."
        if webhook.locale not in list(Locale):
            yield f"webhook[{at}].locale", f"no language {webhook.locale!r}", ", ".join(Locale)


def _missing_files(config: Config) -> Iterator[tuple[str, str, str]]:
    broker = config.broker
    named = {f"broker.{key}": getattr(broker, key) for key in _CERTIFICATES} | {
        "storage.ca_file": config.storage.ca_file
    }
    for key, file in named.items():
        if file and not _is_file(file):
            yield key, f"there is no file {file}", ""


def _is_file(file: str) -> bool:
    try:
        return Path(file).is_file()
    except OSError:  # it lies in a folder that we may not enter
        return False


def _unknown_packs(judging: Judging) -> Iterator[tuple[str, str, str]]:
    named = [("judging.packs", judging.packs)]
    named += [(f"judging.furnace[{at}].packs", one.packs) for at, one in enumerate(judging.furnace)]
    for key, packs in named:
        for name in packs:
            if not name.endswith(".toml") and name not in pack_names():
                hint = _nearest(name, pack_names(), 0.8)  # an older edition of a law is no slip of the pen
                yield key, f"no rule pack {name!r}{hint}", ", ".join(pack_names()) + " or a file *.toml"


def _no_networks(named: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    for at, one in enumerate(named):
        try:
            ip_network(one)
        except ValueError:
            yield f"http.trusted_proxies[{at}]", f"{one!r} is no address or network", "127.0.0.1, 10.0.0.0/24, ::1"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the last two: "../x", and a folder as "Asia"
        return False
    return True


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        return False


def _resolved(config: Config, base: Path) -> Config:
    folder = str((base / config.storage.folder).resolve())
    storage = msgspec.structs.replace(_with_whole(config.storage, ("ca_file", "token_file"), base), folder=folder)
    broker = _with_whole(config.broker, (*_CERTIFICATES, "password_file"), base)
    webhook = tuple(_with_whole(one, ("secret_file",), base) for one in config.webhook)
    people = config.people
    if people.provider is not None:
        provider = _with_whole(people.provider, ("ca_file", "client_secret_file"), base)
        people = msgspec.structs.replace(people, provider=provider)
    judging = msgspec.structs.replace(
        config.judging,
        packs=_packs_from(config.judging.packs, base),
        furnace=tuple(_rules_from(one, base) for one in config.judging.furnace),
    )
    return msgspec.structs.replace(
        config, broker=broker, storage=storage, judging=judging, webhook=webhook, people=people
    )


def _rules_from(one: FurnaceRules, base: Path) -> FurnaceRules:
    return msgspec.structs.replace(one, packs=_packs_from(one.packs, base), permit=_whole(one.permit, base))


def _with_whole(part: Part, keys: Iterable[str], base: Path) -> Part:
    """The part of the configuration with the whole paths of these files."""
    return msgspec.structs.replace(part, **{key: _whole(getattr(part, key), base) for key in keys})


def _whole(file: str, base: Path) -> str:
    """The whole path of a file that may be left out as ""."""
    return str((base / file).resolve()) if file else ""


def _packs_from(names: tuple[str, ...], base: Path) -> tuple[str, ...]:
    """Names of packs as they are, files by their whole path."""
    return tuple(str((base / name).resolve()) if name.endswith(".toml") else name for name in names)


def _before_ms(days: int, now_ms: int) -> int | None:
    return None if days == FOR_EVER else now_ms - days * DAY_MS
