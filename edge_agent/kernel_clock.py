"""What the Linux kernel knows of the wall clock: whether a time server keeps it right (adjtimex, read only)."""

import ctypes
from collections.abc import Callable

from edge_agent.stamps import Discipline

STA_UNSYNC = 0x0040  # linux/timex.h
_FAILED = -1


class _Timex(ctypes.Structure):
    """The beginning of the C library's `struct timex`, and room for the rest; modes 0 changes nothing."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


def ask_kernel() -> Discipline:
    """Whether the kernel's clock is synchronised (a few microseconds); `UNWATCHED` where the kernel does not say."""
    answer = _Timex()
    adjtimex = _adjtimex()
    if adjtimex is None or adjtimex(ctypes.byref(answer)) == _FAILED:
        return Discipline.UNWATCHED
    return discipline_of(answer.status)


def discipline_of(status: int) -> Discipline:
    """What the kernel's status bits say of the clock: unsynchronised from the boot until a time server is heard."""
    return Discipline.UNSYNCHRONISED if status & STA_UNSYNC else Discipline.SYNCHRONISED


def _adjtimex() -> Callable[..., int] | None:
    """The C library's function; None where there is none."""
    found: Callable[..., int] | None = getattr(_LIBRARY, "adjtimex", None)
    return found


_LIBRARY = ctypes.CDLL(None)
