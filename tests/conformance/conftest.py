"""One life of an agent and one of a service, recorded for all tests of this folder."""

import pytest

from tests.conformance.edge_story import EdgeStory
from tests.conformance.said import Line


@pytest.fixture(scope="session")
def edge_line(tmp_path_factory: pytest.TempPathFactory) -> Line:
    """What an agent said in its life."""
    return EdgeStory(tmp_path_factory.mktemp("edge")).line
