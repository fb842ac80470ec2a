"""A part of a long list: how many entries an answer holds, how many come before, and how many there are in all."""

from typing import Annotated

from fastapi import Query, Response

MOST = 10_000
TOTAL = "X-Total-Count"

Limit = Annotated[int, Query(ge=1, le=MOST, description=f"At most so many; the header {TOTAL} says how many there are")]
Offset = Annotated[int, Query(ge=0, le=10**9, description="Leave out so many before; the order does not change")]


def tell_total(response: Response, total: int) -> None:
    """Say beside a part how many there are in all."""
    response.headers[TOTAL] = str(total)
