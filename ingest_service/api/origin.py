"""From where a request comes, as the audit trail and throttles write it."""

from typing import Annotated

from fastapi import Depends, Request


def origin_of(request: Request) -> str:
    """The client's address; that which a trusted proxy names, where one stands before the service."""
    return request.client.host if request.client else ""


Origin = Annotated[str, Depends(origin_of)]
