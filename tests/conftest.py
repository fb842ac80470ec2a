"""What holds for every test, and how files are shared out to the workers of a parallel run."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

# A law does not fail because the machine has other things to do; what hangs is ended by pytest-timeout.
# Under CI the same examples are drawn each time (the library's own profile); elsewhere new ones are looked for.
settings.register_profile("clearstack", settings(), deadline=None)
settings.load_profile("clearstack")

# Files that take a minute and more are begun first, so that none is left alone at the end.
LONG = ("chaos", "fuzz", "losses", "integration", "end_to_end")
ROOT = Path(__file__).parent


def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are processors: most tests wait for real parts."""
    return (os.cpu_count() or 1) * 3 // 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    folder = item.path.relative_to(ROOT).parts[0]
    return LONG.index(folder) if folder in LONG else len(LONG)


@pytest.fixture(autouse=True)
def _logging_ends_with_the_test() -> Iterator[None]:
    """A command that ran in the test's process leaves its logging to no other test."""
    yield
    structlog.reset_defaults()
