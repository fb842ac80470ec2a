import subprocess
import sys

import pytest

from edge_agent.kernel_clock import STA_UNSYNC, ask_kernel, discipline_of
from edge_agent.stamps import Discipline

SECOND_OPINION = """
import ctypes
words = (ctypes.c_long * 128)()
ctypes.CDLL(None).adjtimex(words)
print(ctypes.c_int.from_buffer(words, 5 * ctypes.sizeof(ctypes.c_long)).value)
"""


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param(0x2001, Discipline.SYNCHRONISED, id="a phase-locked loop in nanoseconds"),
        pytest.param(0x0000, Discipline.SYNCHRONISED, id="no bit at all"),
        pytest.param(0x0040, Discipline.UNSYNCHRONISED, id="nothing but unsynchronised"),
        pytest.param(0x2041, Discipline.UNSYNCHRONISED, id="a loop that lost its server"),
    ],
)
def test_the_status_bits_say_whether_the_clock_is_synchronised(status: int, expected: Discipline) -> None:
    assert discipline_of(status) is expected


def test_this_kernel_is_read_as_another_reading_of_it_says() -> None:
    done = subprocess.run([sys.executable, "-c", SECOND_OPINION], capture_output=True, text=True, check=True)
    unsynchronised = bool(int(done.stdout) & STA_UNSYNC)
    assert (ask_kernel() is Discipline.UNSYNCHRONISED) == unsynchronised
