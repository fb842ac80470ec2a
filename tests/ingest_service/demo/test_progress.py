from io import StringIO

import pytest
from rich.console import Console

from ingest_service.demo.progress import StartProgress


def shown(*, is_terminal: bool) -> str:
    """What two steps look like."""
    out = StringIO()
    console = Console(file=out, force_terminal=is_terminal, width=100)
    with StartProgress(console, 2) as progress:
        progress.step("writing the history")
        progress.step("waiting for the service")
    return out.getvalue()


def test_elsewhere_than_on_a_terminal_each_step_is_a_line() -> None:
    assert shown(is_terminal=False) == "writing the history ...\nwaiting for the service ...\n"


@pytest.mark.parametrize("what", ["waiting for the service", "━", "0:00:0"])
def test_a_terminal_gets_a_bar_that_says_what_is_done_and_for_how_long(what: str) -> None:
    assert what in shown(is_terminal=True)
