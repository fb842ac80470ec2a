"""Faulted requests over every transport: how many were wrong, stuck or raised (all must be 0), and how fast it went.

`--requests` is how many of each transport must meet a fault, `--seed` what the device draws them from.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import msgspec

from edge_agent.modbus.connection import Transport
from tests.bench.machine import machine
from tests.faults.driver import fault_run
from tests.faults.pace import PACE
from tests.support.certificates import Certificates, make_certificates
from tests.support.faulty.process import faulty_device


class Outcome(msgspec.Struct, frozen=True):
    """One transport's run. It ends only when every line gave right values again, so nothing was stuck."""

    transport: Transport
    faulted: int
    asked: int
    right: int
    wrong: int
    raised: int
    duration_s: float


def main(argv: list[str]) -> None:
    """Run every transport, or those that are named; the last line is one JSON object."""
    parser = argparse.ArgumentParser(prog="faults")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--transports", type=Transport, nargs="*", default=list(Transport))
    args = parser.parse_args(argv)
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        certificates = make_certificates(Path(folder))
        outcomes = [run(transport, certificates, args.requests, args.seed) for transport in args.transports]
    print(msgspec.json.encode({"faults": outcomes}).decode())


def run(transport: Transport, certificates: Certificates, requests: int, seed: int) -> Outcome:
    """Read until that many requests met a fault, then until every line is well. Raises TimeoutError for a stuck one."""
    began = time.monotonic()
    lines, timeout_s = PACE[transport]
    with faulty_device(transport, certificates, timeout_s, lines=lines, seed=seed) as device:
        account = asyncio.run(fault_run(device, requests))
        faulted = device.report().faulted
    for sentence in (*account.wrong, *account.raised):
        print(f"  {sentence}", flush=True)
    outcome = Outcome(
        transport=transport,
        faulted=faulted,
        asked=account.asked,
        right=account.right,
        wrong=len(account.wrong),
        raised=len(account.raised),
        duration_s=round(time.monotonic() - began, 1),
    )
    print(
        f"{transport:13} {faulted} faulted requests, {outcome.right} right, {outcome.wrong} wrong values, "
        f"{outcome.raised} raised, {outcome.duration_s} s",
        flush=True,
    )
    return outcome
