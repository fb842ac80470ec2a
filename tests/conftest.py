"""What holds for every test."""

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

# A law does not fail because the machine has other things to do; what hangs is ended by pytest-timeout.
# Under CI the same examples are drawn each time (the library's own profile); elsewhere new ones are looked for.
settings.register_profile("clearstack", settings(), deadline=None)
settings.load_profile("clearstack")


@pytest.fixture(autouse=True)
def _logging_ends_with_the_test() -> Iterator[None]:
    """A command that ran in the test's process leaves its logging to no other test."""
    yield
    structlog.reset_defaults()
