"""`edge-agent`: reads the arguments and hands over to the command."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from edge_agent.errors import ConfigError

# Each command and its module; `import` is a word that Python keeps to itself.
COMMANDS = {
    "check": "check",
    "plan": "plan",
    "import": "import_profile",
    "probe": "probe",
    "watch": "watch",
    "run": "run",
    "outbox": "outbox",
    "simulate": "simulate",
}
EXIT_CONFIG, EXIT_INTERRUPTED = 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; a wrong file is one line on stderr and exit code 2."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="edge-agent", description="Reads equipment over Modbus, publishes over MQTT.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    # Only the command that is asked for is imported: checking a file needs neither MQTT nor a simulator.
    wanted = [word for word in words[:1] if word in COMMANDS] or COMMANDS
    modules = {name: importlib.import_module(f"edge_agent.commands.{COMMANDS[name]}") for name in wanted}
    for module in modules.values():
        module.add_arguments(subparsers)
    args = parser.parse_args(words)
    try:
        return int(modules[args.command].run(args))
    except ConfigError as error:
        print(f"edge-agent: {error}", file=sys.stderr)
        return EXIT_CONFIG
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
