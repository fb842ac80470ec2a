"""`python -m tests.support.faulty`: lines of one transport; commands on stdin, a JSON line for each on stdout."""

import argparse
import asyncio
import ssl
import sys
from collections import Counter
from contextlib import ExitStack, suppress

import msgspec

from edge_agent.modbus.connection import Transport
from tests.support.faulty.faults import Fault, Schedule, faults_of
from tests.support.faulty.line import Line
from tests.support.faulty.ports import Guests, listen_tcp, listen_udp, serial_line
from tests.support.faulty.talk import Command, Done, Where


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--transport", type=Transport, required=True)
    parser.add_argument("--lines", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--faults", nargs="*", help="by name; all that the transport knows by default")
    parser.add_argument("--share", type=float, default=0.8, help="of the requests that meet a fault")
    parser.add_argument("--timeout-s", type=float, required=True, help="how long the client waits")
    parser.add_argument("--cert", default="")
    parser.add_argument("--key", default="")
    parser.add_argument("--client-ca", default="")
    return parser.parse_args()


async def serve(args: argparse.Namespace) -> None:
    tls = server_context(args) if args.transport is Transport.TLS else None
    with ExitStack() as ports:
        async with asyncio.TaskGroup() as answers:
            lines, addresses = [], []
            faults = [Fault[name] for name in args.faults] if args.faults else faults_of(args.transport)
            for number in range(args.lines):
                schedule = Schedule(faults, f"{args.seed}/{number}", args.share)
                line = Line(args.transport, schedule, args.timeout_s, answers)
                lines.append(line)
                addresses.append(await listen(line, Guests.ONE if number % 2 else Guests.MANY, tls, ports))
            say(Where(addresses))
            await obey(lines)
            raise SystemExit(0)


async def listen(line: Line, guests: Guests, tls: ssl.SSLContext | None, ports: ExitStack) -> str:
    if line.transport is Transport.RTU:
        return ports.enter_context(serial_line(line))
    if line.transport is Transport.UDP:
        return str(await listen_udp(line))
    server = await listen_tcp(line, guests, tls)
    ports.callback(server.close)
    return str(server.sockets[0].getsockname()[1])


async def obey(lines: list[Line]) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while word := (await reader.readline()).decode().strip():
        if Command(word) is Command.CALM:
            for line in lines:
                line.schedule.is_calm = True
        counts = sum((line.counts for line in lines), Counter())
        say(Done({fault.name: count for fault, count in counts.items()}))


def say(what: Where | Done) -> None:
    sys.stdout.write(msgspec.json.encode(what).decode() + "\n")
    sys.stdout.flush()


def server_context(args: argparse.Namespace) -> ssl.SSLContext:
    """Demands a certificate of the client, as Modbus Security does."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=args.client_ca)
    context.load_cert_chain(args.cert, args.key)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


if __name__ == "__main__":
    with suppress(SystemExit):
        asyncio.run(serve(arguments()))
