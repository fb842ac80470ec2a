"""`ingest-service`: the command line. One module of `commands` a command; exit code 2 for bad input, in one line."""

import argparse
import sys

from ingest_service.commands import audit, check, demo, edge, key, report, rules, serve, store, tree, user
from ingest_service.errors import ConfigError, ServiceError


def main(argv: list[str] | None = None) -> int:
    """Run one command; return its exit code."""
    parser = argparse.ArgumentParser(prog="ingest-service", description="Clearstack's central service.")
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (serve, check, rules, report, store, audit, edge, tree, user, key, demo):
        command.add_arguments(subparsers)
    args = parser.parse_args(argv)
    try:
        code: int = args.run(args)
    except ConfigError as error:
        print(f"ingest-service: {error}", file=sys.stderr)
        return 2
    except ServiceError as error:
        print(f"ingest-service: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
