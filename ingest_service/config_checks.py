"""What of a configuration cannot be used although its types are right: files, names and addresses that are none."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from ingest_service.config import CERTIFICATES, Config, Judging
from ingest_service.config_refusal import nearest
from ingest_service.emissions.rulepack import pack_names
from ingest_service.people.settings import unfit


def unusable(config: Config) -> Iterator[tuple[str, str, str]]:
    """What no type can say: key, problem and what is allowed."""
    yield from _missing_files(config)
    zone = config.judging.time_zone
    if not _is_zone(zone):
        hint = nearest(zone, sorted(available_timezones()))
        yield "judging.time_zone", f"unknown time zone {zone!r}{hint}", "names as Asia/Shanghai, Europe/Berlin, UTC"
    yield from _unknown_packs(config.judging)
    yield from _no_networks(config.http.trusted_proxies)
    yield from unfit(config.people, config.http.host)
    for at, webhook in enumerate(config.webhook):
        if not _is_web_address(webhook.url):
            yield f"webhook[{at}].url", f"{webhook.url!r} is no address", "http://..., https://..."


def _missing_files(config: Config) -> Iterator[tuple[str, str, str]]:
    broker = config.broker
    named = {f"broker.{key}": getattr(broker, key) for key in CERTIFICATES} | {
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
                hint = nearest(name, pack_names(), 0.8)  # an older edition of a law is no slip of the pen
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
