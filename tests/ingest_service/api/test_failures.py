"""What programs are told of errors, whichever kind of its kind one is."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from ingest_service.api.failures import add_failures
from ingest_service.errors import HoursUnreadable, ServiceError, StoreError
from ingest_service.store.remote.failures import Busy, RefusedData, TooLarge, Unreachable

PATH = "/api/v1/anything"


def answer_to(error: ServiceError) -> httpx.Response:
    app = FastAPI()
    add_failures(app)

    @app.get(PATH)
    def fail() -> None:
        raise error

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
            return await client.get(PATH)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    "error",
    [
        StoreError("the disk is full"),
        HoursUnreadable("sealed file 495000: is missing", frozenset([495_000])),
        Unreachable("no answer"),
        Busy("later", 5.0),
        TooLarge("too much at once"),
        RefusedData("no number"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_store_cannot_do_now_is_unavailable_and_says_why(error: StoreError) -> None:
    response = answer_to(error)
    assert response.status_code == 503
    assert response.json() == {"error": "unavailable", "detail": str(error)}
