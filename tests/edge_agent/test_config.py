from pathlib import Path

import pytest

from edge_agent.config import ClockWatching, load_site
from edge_agent.errors import ConfigError
from edge_agent.modbus.connection import Parity, SerialPort, StopBits, Transport
from tests.edge_agent.sites import SITE, write_site

NETWORK = 'host = "127.0.0.1"\nport = {port}'
SERIAL = 'transport = "rtu"\nserial_port = "/dev/ttyS1"\n'
SECOND = f'[[connection]]\nname = "b"\n{SERIAL}'


def test_a_site_is_resolved_whole(tmp_path: Path) -> None:
    site = load_site(write_site(tmp_path, port=1502))
    assert (site.home, site.edge, site.home_names.zh, site.city.en) == ("songhe", "edge1", "松鹤殡仪馆", "")
    assert (site.broker.port, site.broker.keepalive_s) == (1883, 15)
    assert site.broker.ca_file == str(tmp_path / "ca.pem")
    assert site.outbox.path == tmp_path / "outbox.db"
    assert (site.connections[0].transport, site.connections[0].port) == (Transport.TCP, 1502)
    assert [(device.name, device.unit_id) for device in site.devices] == [("furnace1", 1), ("furnace2", 2)]


def test_overrides_hold_for_their_device_only(tmp_path: Path) -> None:
    first, second = load_site(write_site(tmp_path)).devices
    assert (first.profile.channels[0].report.deadband, first.profile.channels[0].encoding.high) == (0.0, None)
    assert (second.profile.channels[0].report.deadband, second.profile.channels[0].encoding.high) == (0.5, 1000.0)
    assert first.profile.channels[1:] == second.profile.channels[1:]


def test_modbus_security_has_its_own_port(tmp_path: Path) -> None:
    text = SITE.replace("port = {port}", 'transport = "tls"\nca_file = "plc.pem"')
    connection = load_site(write_site(tmp_path, site=text)).connections[0]
    assert (connection.port, connection.ca_file) == (802, str(tmp_path / "plc.pem"))


def test_a_serial_line_is_9600_8n1_unless_the_site_says_otherwise(tmp_path: Path) -> None:
    plain = load_site(write_site(tmp_path, site=SITE.replace(NETWORK, SERIAL))).connections[0]
    assert plain.serial == SerialPort(path="/dev/ttyS1", baud=9600, parity=Parity.NONE, stop_bits=StopBits.ONE)
    assert (plain.transport, plain.host, plain.address) == (Transport.RTU, "", "/dev/ttyS1")
    keys = SERIAL + 'baud = 19200\nparity = "even"\nstop_bits = 2'
    said = load_site(write_site(tmp_path, site=SITE.replace(NETWORK, keys))).connections[0]
    assert said.serial == SerialPort(path="/dev/ttyS1", baud=19200, parity=Parity.EVEN, stop_bits=StopBits.TWO)


@pytest.mark.parametrize("transport", ["rtu", "rtu_over_tcp"])
@pytest.mark.parametrize("unit_id", [0, 248])
def test_a_serial_line_has_units_1_to_247(tmp_path: Path, transport: str, unit_id: int) -> None:
    line = SERIAL if transport == "rtu" else f'{NETWORK}\ntransport = "{transport}"'
    text = SITE.replace(NETWORK, line).replace("unit_id = 1", f"unit_id = {unit_id}")
    with pytest.raises(ConfigError, match=rf"unit_id: {unit_id} is out of range \(allowed: 1 to 247\)"):
        load_site(write_site(tmp_path, site=text))


@pytest.mark.parametrize(
    ("baud", "silence_ms"),
    [
        pytest.param(9600, 4.01, id="3.5 characters at 9600 baud"),
        pytest.param(19200, 2.005, id="3.5 characters at 19200 baud"),
        pytest.param(115200, 1.75, id="never less than 1.75 ms"),
    ],
)
def test_silence_tells_frames_apart(baud: int, silence_ms: float) -> None:
    assert SerialPort(path="x", baud=baud).silence_s * 1000 == pytest.approx(silence_ms, abs=0.01)


BAD_SITES = [
    ("home =", "hom =", 'site.hom: unknown key, did you mean "home"?'),
    ("unit_id = 1", 'unit_id = "1"', 'device[1] "furnace1".unit_id: expected a whole number, got text'),
    ("unit_id = 1", "unit_id = 256", 'device "furnace1".unit_id: 256 is out of range (allowed: 0 to 255)'),
    ("furnace.toml", "furnace", 'device "furnace1".profile: unknown profile "furnace"'),
    ("furnace.toml", "simulater", 'did you mean "simulator"?'),
    ("furnace.toml", "none.toml", "profile: there is no file"),
    ('connection = "plc"', 'connection = "plk"', 'unknown connection "plk", did you mean "plc"? (allowed: plc)'),
    ('"furnace2"', '"furnace1"', 'device: two are named "furnace1"'),
    ('"furnace1"', '"furnace/1"', "device[1].name: id 'furnace/1' must not be empty nor hold"),
    ("songhe", "songhe#", "site.home: id 'songhe#'"),
    ("{port}", "0", 'connection "plc".port: 0 is out of range (allowed: 1 to 65535)'),
    ("timeout_s = 0.5", "timeout_s = 0", 'connection "plc".timeout_s: 0 is out of range'),
    ("timeout_s = 0.5", 'transport = "rs485"', "transport: invalid enum value 'rs485' (allowed: tcp, rtu_over_tcp"),
    ("timeout_s = 0.5", 'ca_file = "x"', 'connection "plc".ca_file: has no meaning for transport "tcp" (allowed: tls)'),
    ("timeout_s = 0.5", "baud = 9600", 'connection "plc".baud: has no meaning for transport "tcp" (allowed: rtu)'),
    ("timeout_s = 0.5", 'transport = "rtu"', 'plc".host: has no meaning for transport "rtu" (allowed: tcp, rtu_over'),
    (NETWORK, 'transport = "rtu"', 'connection "plc".serial_port: is missing (allowed: /dev/ttyUSB0)'),
    (NETWORK, SERIAL + "baud = 9601", 'connection "plc".baud: 9601 is no rate of a serial line (allowed: 1200, 2400'),
    (NETWORK, SERIAL + 'parity = "mark"', "parity: invalid enum value 'mark' (allowed: none, even, odd)"),
    (NETWORK, SERIAL + "stop_bits = 3", "stop_bits: invalid enum value 3 (allowed: 1, 2)"),
    (NETWORK, SERIAL + "port = 502", 'connection "plc".port: has no meaning for transport "rtu"'),
    (NETWORK, SERIAL + SECOND, 'connection "b".serial_port: /dev/ttyS1 is that of connection "plc"'),
    (NETWORK, "port = 502", 'connection "plc".host: is missing'),
    ("timeout_s = 0.5", 'transport = "tls"\ncert_file = "x"', 'plc".cert_file: cert_file and key_file go together'),
    ("unit_id = 1", "unit_id = -1", 'device "furnace1".unit_id: -1 is out of range (allowed: 0 to 255)'),
    ("deadband = 0.5", "deadbnd = 0.5", 'device "furnace2".channel.co.deadbnd: unknown key, did you mean "deadband"?'),
    ("deadband = 0.5", 'deadband = "0.5"', 'device "furnace2".channel.co.deadband: expected a number, got text'),
    ("deadband = 0.5", "address = 70000", 'device "furnace2".channel.co.address: 70000 is out of range'),
    ("channel.co]", "channel.c0]", 'channel.c0: profile furnace has no such channel, did you mean "co"?'),
    ('ca_file = "ca.pem"', "port = 99999", "broker.port: 99999 is out of range"),
    ('ca_file = "ca.pem"', 'cert_file = "x"', "broker.cert_file: cert_file and key_file go together"),
    ('ca_file = "ca.pem"', "[outbox]\nmax_mb = 0", "outbox.max_mb: 0 is out of range"),
    ("[broker]", "[brocker]", 'brocker: unknown key, did you mean "broker"?'),
    ('host = "127.0.0.1"\nca', "ca", "broker.host: is missing"),
    ("[site]", "[site", "is not TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("good", "bad", "message"), BAD_SITES, ids=[message for *_, message in BAD_SITES])
def test_a_wrong_site_file_is_one_clear_line(tmp_path: Path, good: str, bad: str, message: str) -> None:
    assert good in SITE
    path = write_site(tmp_path, site=SITE.replace(good, bad, 1))
    with pytest.raises(ConfigError) as caught:
        load_site(path)
    text = str(caught.value)
    assert message in text
    assert text.startswith(str(tmp_path))
    assert "\n" not in text


def test_a_site_without_devices_is_refused(tmp_path: Path) -> None:
    text = SITE[: SITE.index("[[device]]")].replace("[site]", "device = []\n[site]")
    with pytest.raises(ConfigError, match="device: there is none"):
        load_site(write_site(tmp_path, site=text))


def test_a_missing_site_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.toml: cannot be read: No such file"):
        load_site(tmp_path / "no.toml")


def test_text_that_is_not_utf_8_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_bytes("松鹤".encode("gb18030"))
    with pytest.raises(ConfigError, match=r"site\.toml: cannot be read: it is not UTF-8 text"):
        load_site(tmp_path / "site.toml")


def test_the_clock_is_watched_unless_the_site_says_that_nobody_can(tmp_path: Path) -> None:
    assert load_site(write_site(tmp_path)).synchronisation is ClockWatching.WATCHED
    unwatched = SITE + '\n[clock]\nsynchronisation = "unwatched"\n'
    assert load_site(write_site(tmp_path, site=unwatched)).synchronisation is ClockWatching.UNWATCHED
    with pytest.raises(ConfigError, match=r"clock\.synchronisation: .*watched, unwatched"):
        load_site(write_site(tmp_path, site=unwatched.replace("unwatched", "off")))
