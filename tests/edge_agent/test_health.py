from pathlib import Path

import pytest

from edge_agent.config import load_site
from edge_agent.health import (
    DEVICE_MEANINGS,
    NODE_MEANINGS,
    DeviceHealth,
    Health,
    HealthReport,
    health_samples,
    node_birth,
)
from edge_agent.tags import ALIASES_PER_DEVICE, NODE_BLOCK_ALIAS, NODE_GAP_ALIAS, DeviceTags, tag_devices
from edge_agent.wire.sample import Reason
from tests.edge_agent.sites import write_site

NODE = Health(
    outbox_depth=1,
    outbox_bytes=2,
    outbox_oldest_s=3.5,
    outbox_write_errors_total=4,
    samples_read_total=5,
    samples_dropped=6,
    blocks_resent_total=7,
    poll_errors_total=8,
    connections_total=9,
    timeouts_total=10,
    skipped_slots_total=11,
    clock_offset_s=None,
    clock_unsynchronised=1,
    clock_steps_total=12,
    site_file_refused=0,
    reloads_total=13,
    reload_errors_total=14,
    memory_mb=48.5,
)


def device(name: str, response_ms: int | None) -> DeviceHealth:
    return DeviceHealth(
        device=name,
        poll_p95_ms=21,
        response_p50_ms=response_ms,
        response_p95_ms=response_ms,
        timeouts_total=22,
        bad_reads_total=23,
        skipped_slots_total=24,
    )


@pytest.fixture
def tagged(tmp_path: Path) -> tuple[DeviceTags, ...]:
    return tag_devices(load_site(write_site(tmp_path)))


def test_every_figure_has_a_channel_with_its_names() -> None:
    assert tuple(NODE_MEANINGS) == Health.__struct_fields__
    assert ("device", *DEVICE_MEANINGS) == DeviceHealth.__struct_fields__
    assert all(meaning.zh and meaning.en for meaning in (*NODE_MEANINGS.values(), *DEVICE_MEANINGS.values()))


def test_the_samples_go_with_the_birth(tmp_path: Path, tagged: tuple[DeviceTags, ...]) -> None:
    birth = node_birth(load_site(write_site(tmp_path)), tagged)
    names = {channel.alias: channel.name for channel in birth.channels}
    report = HealthReport(NODE, (device("furnace1", 20), device("furnace2", None)))
    samples = health_samples(report, tagged, 1_000, Reason.CLOCK_UNSYNCED)
    values = {names[sample.alias]: sample.value for sample in samples}
    assert (values["outbox_depth"], values["outbox_oldest_s"], values["memory_mb"]) == (1.0, 3.5, 48.5)
    assert (values["device/furnace1/response_p95_ms"], values["device/furnace2/bad_reads_total"]) == (20.0, 23.0)
    assert not {"clock_offset_s", "device/furnace2/response_p50_ms"} & values.keys()
    assert {(sample.measured_at_ms, sample.reason) for sample in samples} == {(1_000, Reason.CLOCK_UNSYNCED)}


def test_a_device_that_is_not_configured_any_more_is_not_reported(tagged: tuple[DeviceTags, ...]) -> None:
    report = HealthReport(NODE, (device("furnace1", 20), device("furnace2", 20)))
    both = health_samples(report, tagged, 1, Reason.GOOD)
    one = health_samples(report, tagged[1:], 1, Reason.GOOD)
    assert len(both) - len(one) == len(DEVICE_MEANINGS)


def test_the_nodes_aliases_are_its_own_however_many_devices_there_are(
    tmp_path: Path, tagged: tuple[DeviceTags, ...]
) -> None:
    many = [DeviceTags(tagged[0].device, number * ALIASES_PER_DEVICE, ()) for number in range(1, 700)]
    channels = node_birth(load_site(write_site(tmp_path)), many).channels
    aliases = [channel.alias for channel in channels]
    assert len(set(aliases)) == len(aliases) == len(NODE_MEANINGS) + 504 * len(DEVICE_MEANINGS)
    assert all(NODE_BLOCK_ALIAS < alias < NODE_GAP_ALIAS for alias in aliases if alias)
