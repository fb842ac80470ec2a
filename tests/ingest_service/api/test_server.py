import socket
import time

import httpx
import pytest

from ingest_service.api.app import create_app
from ingest_service.api.server import ApiServer
from ingest_service.config import Http
from tests.support.browser import served
from tests.support.city import City, small_city


def test_an_open_stream_does_not_keep_the_server_from_stopping(own_city: City) -> None:
    with served(own_city) as address, httpx.Client(base_url=address, timeout=60) as client:
        with client.stream("GET", "/api/v1/stream") as response:
            lines = response.iter_lines()
            next(lines)
            began = time.monotonic()
            own_city.closing.set()
            assert list(lines)[-1] == "", "the stream ends whole"
        assert time.monotonic() - began < 30


def test_an_address_that_is_taken_is_said_before_anything_starts(tmp_path_factory: pytest.TempPathFactory) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        http = Http(port=taken.getsockname()[1])
        with small_city(tmp_path_factory.mktemp("taken"), http) as city:
            context = city.context()
            with pytest.raises(OSError, match="in use"):
                ApiServer(create_app(context), context).listen()


def test_an_answer_does_not_wait_for_the_client_to_acknowledge_its_head(own_city: City) -> None:
    with served(own_city) as address, httpx.Client(base_url=address, timeout=60) as client:

        def taken_s() -> float:
            began = time.perf_counter()
            assert client.get("/healthz").status_code == 200
            return time.perf_counter() - began

        assert any(taken_s() < 0.03 for _ in range(100)), "the system waits 40 ms before it acknowledges a part"
