"""Runs the benchmarks of this folder: all of them, or the one that is named with its own arguments."""

import importlib
import pkgutil
import sys

import tests.bench


def names() -> list[str]:
    """Every benchmark, by its module's name."""
    modules = pkgutil.iter_modules(tests.bench.__path__)
    found = (module for module in modules if not module.ispkg and not module.name.startswith("_"))
    return sorted(module.name for module in found if module.name != "machine")


def run(argv: list[str]) -> int:
    """Run `[name [arguments ...]]`; a benchmark's last line is one JSON object."""
    chosen = argv[:1] or names()
    if unknown := set(chosen) - set(names()):
        print(f"no benchmark {', '.join(unknown)} (allowed: {', '.join(names())})", file=sys.stderr)
        return 2
    for name in chosen:
        print(f"== {name}", flush=True)
        importlib.import_module(f"tests.bench.{name}").main(argv[1:])
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
