"""Requests that meet every fault, over every transport: no wrong value, no stuck device, nothing raised."""

import asyncio
import os
from pathlib import Path

import pytest

from edge_agent.modbus.connection import Transport
from tests.faults.driver import fault_run
from tests.faults.pace import PACE
from tests.support.certificates import make_certificates
from tests.support.faulty.faults import faults_of
from tests.support.faulty.process import faulty_device

pytestmark = pytest.mark.alone

# Of each transport; the benchmark `faults` runs ten thousand of each.
FAULTED = int(os.environ.get("CLEARSTACK_FAULTED_REQUESTS", "2000"))


@pytest.mark.timeout(60 + FAULTED // 50)
@pytest.mark.parametrize("transport", list(Transport))
def test_no_fault_makes_a_wrong_value_or_a_stuck_device(tmp_path: Path, transport: Transport) -> None:
    lines, timeout_s = PACE[transport]
    with faulty_device(transport, make_certificates(tmp_path), timeout_s, lines=lines, seed=11) as device:
        account = asyncio.run(fault_run(device, FAULTED))
        report = device.report()
    assert account.wrong == []
    assert account.raised == []
    assert report.faulted >= FAULTED
    assert account.right > FAULTED / 10
    assert set(report.counts) >= {fault.name for fault in faults_of(transport)}
