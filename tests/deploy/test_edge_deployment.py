"""What an integrator starts from: the example site file, the systemd unit, and what an edge installation brings."""

import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_agent.config import Broker, load_site
from edge_agent.connection_table import ConnectionTable
from edge_agent.devices.reads import plan_reads
from edge_agent.modbus.connection import Transport
from edge_agent.site_plan import plan_site

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "deploy" / "example" / "site.toml"
UNIT = ROOT / "deploy" / "systemd" / "edge-agent.service"
ANALYZE = shutil.which("systemd-analyze")
CENTRE_ONLY = (
    "fastapi",
    "uvicorn",
    "numpy",
    "duckdb",
    "sqlalchemy",
    "alembic",
    "jinja2",
    "httpx",
    "xlsxwriter",
    "pydantic",
    "starlette",
)
IMPORT_ALL = """
import importlib, pkgutil, sys
for name in {blocked!r}:
    sys.modules[name] = None
import edge_agent
names = [found.name for found in pkgutil.walk_packages(edge_agent.__path__, "edge_agent.")]
for name in names:
    if name != "edge_agent.__main__":
        importlib.import_module(name)
print(len(names))
"""


def directives() -> dict[str, list[str]]:
    """Every setting of the unit's [Service] section, in order; one that is given again has several values."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_the_example_is_a_site_that_can_be_read_and_planned() -> None:
    plan = plan_site(load_site(EXAMPLE))
    assert [tags.device.name for tags in plan.tagged] == ["furnace-1", "cems-1", "gas-meter-1"]
    assert {connection.transport for connection in plan.site.connections} == {
        Transport.TCP,
        Transport.RTU,
        Transport.RTU_OVER_TCP,
    }
    for tags in plan.tagged:
        profile = tags.device.profile
        served = [at for read in plan_reads(profile, range(len(profile.channels))) for at in read.positions]
        assert sorted(served) == list(range(len(profile.channels)))


@pytest.mark.parametrize("shape", [Broker, ConnectionTable])
def test_the_example_names_every_key(shape: type[msgspec.Struct]) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    missing = [key for key in shape.__struct_fields__ if not re.search(rf"^[# ]*(\w+, )*{key}\b", text, re.MULTILINE)]
    assert missing == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# port = 502 ", "port = 502 "),
        ("# pause_after", "pause_after"),
        ("# pause_between", "pause_between"),
        ("# parity", "parity"),
        ("# stop_bits", "stop_bits"),
        ("# keepalive_s", "keepalive_s"),
        ("# mqtt", "mqtt"),
        ("# primary_host", "primary_host"),
        ("# max_mb", "max_mb"),
        ("# max_age_days", "max_age_days"),
        ("# synchronisation", "synchronisation"),
    ],
)
def test_what_stands_behind_a_number_sign_is_what_holds_without_it(tmp_path: Path, old: str, new: str) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert text.count(old) == 1
    for name, content in (("plain.toml", text), ("said.toml", text.replace(old, new))):
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert load_site(tmp_path / "said.toml") == load_site(tmp_path / "plain.toml")


def test_the_service_runs_what_it_says_and_comes_back() -> None:
    found = directives()
    assert found["ExecStart"] == ["/opt/clearstack/bin/edge-agent run /etc/edge-agent/site.toml"]
    assert found["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert (found["Restart"], found["Type"], found["WatchdogSec"]) == (["always"], ["notify"], ["60"])
    outbox = load_site(EXAMPLE).outbox.path
    assert outbox.parent == Path("/var/lib") / found["StateDirectory"][0]


@pytest.mark.parametrize(
    ("directive", "value"),
    [
        ("User", "edge-agent"),
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
        ("AmbientCapabilities", ""),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("SocketBindDeny", "any"),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
        ("SystemCallArchitectures", "native"),
        ("MemoryDenyWriteExecute", "yes"),
        ("DevicePolicy", "closed"),
        ("RestrictNamespaces", "yes"),
    ],
)
def test_the_service_has_no_root_no_port_and_writes_in_one_place(directive: str, value: str) -> None:
    found = directives()
    assert found[directive] == [value]
    assert "ReadWritePaths" not in found


def test_the_service_may_ask_whether_the_clock_is_right() -> None:
    found = directives()
    assert "ProtectClock" not in found
    assert found["SystemCallFilter"] == ["@system-service", "~@privileged @resources", "adjtimex clock_adjtime"]


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_wrong_with_the_service_and_little_exposed(tmp_path: Path) -> None:
    assert ANALYZE
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub("ExecStart=.*", "ExecStart=/bin/true", UNIT.read_text(encoding="utf-8")), encoding="utf-8")
    checked = subprocess.run([ANALYZE, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    words = [ANALYZE, "security", "--offline=true", "--no-pager", "--threshold=25", str(unit)]
    judged = subprocess.run(words, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout


def edge_extra() -> list[str]:
    """The names of the packages that `clearstack[edge]` asks for."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["edge"]
    return [re.split(r"[<>=\[; ]", requirement)[0] for requirement in wanted]


def test_an_edge_installation_brings_no_web_framework_no_database_and_no_numpy() -> None:
    """Followed through what the packages themselves ask for."""
    todo, seen = edge_extra(), set[str]()
    while todo:
        name = todo.pop().lower()
        if name not in seen:
            seen.add(name)
            needed = [line for line in requires(name) or [] if "extra ==" not in line]
            todo += [re.split(r"[<>=!~\[; (]", line)[0] for line in needed]
    assert {"msgspec", "paho-mqtt", "pymodbus"} <= seen
    assert not seen & set(CENTRE_ONLY)


def test_every_module_of_the_edge_is_imported_without_what_only_the_centre_has() -> None:
    code = IMPORT_ALL.format(blocked=("ingest_service", "amqtt", "psutil", *CENTRE_ONLY))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 60


@pytest.mark.parametrize("module", ["prometheus_client", "openpyxl", "edge_agent.simulator", "edge_agent.terminal"])
def test_running_the_agent_does_not_load_what_few_agents_need(module: str) -> None:
    code = f"import sys, edge_agent.commands.run; print({module!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
