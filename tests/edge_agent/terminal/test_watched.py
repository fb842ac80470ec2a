from collections import deque
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from edge_agent.config import load_site
from edge_agent.counters import PollCounters
from edge_agent.devices.profile import Channel
from edge_agent.modbus.value import Encoding, Table, ValueType
from edge_agent.tags import DeviceTags, tag_devices
from edge_agent.terminal.watched import WatchedTags, shown_age, shown_value
from edge_agent.wire.sample import Reason, Sample
from tests.edge_agent.sites import write_site

NOW_MS = 1_700_000_000_000
CHANNEL = Channel(name="x", table=Table.HOLDING, address=0, encoding=Encoding(type=ValueType.FLOAT32))
PHASE = Channel(
    name="phase", table=Table.HOLDING, address=0, encoding=Encoding(type=ValueType.UINT16), states={4: "main"}
)


def drawn(tags: WatchedTags, counters: dict[str, PollCounters] | None = None) -> str:
    out = Console(file=StringIO(), width=120, highlight=False)
    with out.capture() as captured:
        out.print(tags.table(NOW_MS, counters or {}))
    return captured.get()


@pytest.fixture
def devices(tmp_path: Path) -> tuple[DeviceTags, ...]:
    return tag_devices(load_site(write_site(tmp_path)))


@pytest.mark.parametrize(
    ("value", "shown"),
    [(123.456, "123.456"), (850.0, "850"), (0.123456789, "0.123457"), (-25.3, "-25.3"), (12345678.0, "12345678"),
     (1e20, "1e+20"), (0.0, "0"), ("GC-7", "GC-7"), (None, "-")],
)  # fmt: skip
def test_a_value_has_no_needless_digits(value: float | str | None, shown: str) -> None:
    reason = Reason.TIMEOUT if value is None else Reason.GOOD
    assert shown_value(CHANNEL, Sample(1, NOW_MS, value, reason)) == shown


def test_a_code_comes_with_its_name() -> None:
    assert shown_value(PHASE, Sample(1, NOW_MS, 4.0)) == "4 main"


@pytest.mark.parametrize(
    ("age_ms", "shown"), [(0, "0.0 s"), (59_900, "59.9 s"), (60_000, "1 min"), (3_600_000, "1.0 h")]
)
def test_an_age_is_in_the_unit_that_suits_it(age_ms: int, shown: str) -> None:
    assert shown_age(age_ms) == shown


def test_before_the_first_reading_every_tag_is_there_without_a_value(devices: tuple[DeviceTags, ...]) -> None:
    tags = WatchedTags(devices)
    assert drawn(tags).count("not read yet") == 8
    assert not tags.are_all_heard


def test_a_bad_tag_keeps_the_age_of_its_last_value(devices: tuple[DeviceTags, ...]) -> None:
    tags, alias = WatchedTags(devices), devices[0].aliases[0]
    tags.note([Sample(alias, NOW_MS - 30_000, 12.5), Sample(alias, NOW_MS - 1_000, None, Reason.TIMEOUT)])
    line = next(line for line in drawn(tags).splitlines() if " co " in line)
    assert line.split() == ["co", "-", "mg/m3", "bad:", "timeout", "30.0", "s", "-"]


def test_a_doubtful_value_is_shown_with_its_doubt(devices: tuple[DeviceTags, ...]) -> None:
    tags = WatchedTags(devices)
    tags.note([Sample(devices[0].aliases[0], NOW_MS, 12.5, Reason.CLOCK_STEPPED)])
    assert "uncertain: clock_stepped" in drawn(tags)


def test_a_device_shows_how_fast_it_answers_and_what_it_missed(devices: tuple[DeviceTags, ...]) -> None:
    counters = PollCounters(device="furnace1", timeouts=2, response_times_ms=deque([3, 4, 90]))
    out = drawn(WatchedTags(devices), {"furnace1": counters})
    assert "furnace1 (furnace 1, unit 1 on plc) p50 4 ms, p95 90 ms, 2 timeouts" in out
    assert out.count("90 ms") == 5  # once above the four tags, once beside each


def test_all_are_heard_when_the_last_tag_is(devices: tuple[DeviceTags, ...]) -> None:
    tags = WatchedTags(devices)
    aliases = [alias for device in devices for alias in device.aliases]
    tags.note(Sample(alias, NOW_MS, None, Reason.TIMEOUT) for alias in aliases[:-1])
    assert not tags.are_all_heard
    tags.note([Sample(aliases[-1], NOW_MS, 1.0)])
    assert tags.are_all_heard
