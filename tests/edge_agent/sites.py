"""Site and profile files for tests."""

from pathlib import Path

PROFILE = """
[profile]
id = "furnace"
name_zh = "火化机"
name_en = "Cremator"
origin = "example"
source = "made for a test"

[[channel]]
name = "co"
quantity = "co"
address = 0
type = "float32"
report = "on_change"

[[channel]]
name = "counter"
quantity = "scan_counter"
address = 2
type = "uint16"
report = "always"
{counter}

[[channel]]
name = "chamber"
quantity = "chamber1_temperature"
table = "input"
address = 0
type = "float32"
order = "CDAB"

[[channel]]
name = "door"
table = "coil"
address = 0
name_zh = "炉门"
name_en = "Door"
"""

SITE = """
[site]
home = "songhe"
edge = "edge1"
name_zh = "松鹤殡仪馆"
name_en = "Songhe funeral home"

[broker]
host = "127.0.0.1"
ca_file = "ca.pem"

[[connection]]
name = "plc"
host = "127.0.0.1"
port = {port}
timeout_s = 0.5

[[device]]
name = "furnace1"
furnace = "1"
connection = "plc"
unit_id = 1
profile = "furnace.toml"

[[device]]
name = "furnace2"
furnace = "2"
connection = "plc"
unit_id = 2
profile = "furnace.toml"
name_zh = "二号炉"
[device.channel.co]
deadband = 0.5
low = 0
high = 1000
"""


def write_site(folder: Path, port: int = 502, site: str = SITE, counter: str = "") -> Path:
    """A site of two furnaces behind one connection; `counter` adds keys to the counter channel."""
    (folder / "furnace.toml").write_text(PROFILE.format(counter=counter), encoding="utf-8")
    path = folder / "site.toml"
    path.write_text(site.replace("{port}", str(port)), encoding="utf-8")
    return path
