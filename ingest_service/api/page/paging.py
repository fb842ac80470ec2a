"""A long list, a page of it at a time. Pure."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Paging(msgspec.Struct, frozen=True):
    """The page that is shown of `total` entries, `size` on each; pages count from 1."""

    total: int
    size: int
    page: int

    @classmethod
    def of(cls, total: int, size: int, asked: int) -> "Paging":
        """The page that was asked for; beyond the end the last one."""
        return cls(total, size, max(1, min(asked, -(-total // size))))

    @property
    def skipped(self) -> int:
        """How many entries come before this page."""
        return (self.page - 1) * self.size

    @property
    def first(self) -> int:
        """The number of the first entry of the page, from 1; 0 where there is none."""
        return min(self.total, self.skipped + 1)

    @property
    def last(self) -> int:
        """The number of the last entry of the page."""
        return min(self.total, self.page * self.size)

    @property
    def has_more(self) -> bool:
        """Whether there are entries after this page."""
        return self.last < self.total

    def part(self, entries: Sequence[T]) -> list[T]:
        """The entries of the page, out of all."""
        return list(entries[self.skipped : self.skipped + self.size])
