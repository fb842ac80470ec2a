"""What holds for every test: a program that was started in this process leaves its logging to no other test."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _logging_ends_with_the_test() -> Iterator[None]:
    yield
    structlog.reset_defaults()
