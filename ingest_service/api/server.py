"""Serves the application until it is told to stop; open live streams do not keep it from stopping."""

import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from ingest_service.api.connection import HEAD_BYTES, GuardedConnection
from ingest_service.api.context import Context
from ingest_service.api.protection import SecurityHeaders
from ingest_service.api.request_bounds import BoundedRequests

GRACE_S = 3
BACKLOG = 512
MOST_CONNECTIONS = 2_000  # live streams among them; who comes later is told to come again (503)


class ApiServer(uvicorn.Server):
    """A server that leaves signals to whoever runs it. Call `stop` to end `serve`."""

    def __init__(self, app: FastAPI, context: Context) -> None:
        self._context = context
        http = context.config.http
        settings = uvicorn.Config(
            SecurityHeaders(BoundedRequests(app)),
            host=http.host,
            port=http.port,
            http=GuardedConnection,
            ws="none",
            h11_max_incomplete_event_size=HEAD_BYTES,
            limit_concurrency=MOST_CONNECTIONS,
            proxy_headers=bool(http.trusted_proxies),
            forwarded_allow_ips=list(http.trusted_proxies),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=GRACE_S,
            server_header=False,
            backlog=BACKLOG,
        )
        super().__init__(settings)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The composition root has the signals."""
        yield

    def listen(self) -> socket.socket:
        """Take the address before anything else starts. Raises OSError when it is taken."""
        family = socket.AF_INET6 if ":" in self.config.host else socket.AF_INET
        # With the protocol named, asyncio sends answers at once instead of waiting for the client (TCP_NODELAY).
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self.config.host, self.config.port))
        except OSError:
            listener.close()
            raise
        return listener

    def stop(self) -> None:
        """End every live stream, then the server."""
        self._context.closing.set()
        self.should_exit = True
