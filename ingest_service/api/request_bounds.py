"""How much a request may bring and how long it may take to bring it; nothing beyond is read."""

import asyncio
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest_service.api.connection import HEAD_BYTES, refusal_body

BODY_BYTES = 1_048_576  # forms and JSON of people; a tree of a large city has a tenth of it
BODY_S = 30.0


class BoundedRequests:
    """Refuses a body that is too large (413) or too slow (408), and a head that is too large (431)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _head_bytes(scope) > HEAD_BYTES:
            status, detail = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"more than {HEAD_BYTES} bytes of headers"
            await _refused(status, detail)(scope, receive, send)
        elif _announced_bytes(scope) > BODY_BYTES:
            await _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE)(scope, receive, send)
        else:
            await self._bounded(scope, receive, send)

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A request whose body is watched; where it was refused, the connection ends with the answer."""
        body = _Body(receive)

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start" and body.is_refused:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, body, answered)


_TOO_LARGE = f"more than {BODY_BYTES} bytes in one request"


class _Body:
    """Hands on the parts of one body until it is whole, too large or too slow."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._bytes = 0
        self._due_s: float | None = None
        self._whole = False
        self.is_refused = False

    async def __call__(self) -> Message:
        """The next part; when the body is whole, the end of the connection, for which anyone may wait."""
        if self._whole:
            return await self._receive()
        now_s = asyncio.get_running_loop().time()
        self._due_s = self._due_s or now_s + BODY_S
        try:
            async with asyncio.timeout_at(self._due_s):
                message = await self._receive()
        except TimeoutError:
            raise self._refused(HTTPStatus.REQUEST_TIMEOUT, f"no whole request within {BODY_S:.0f} s") from None
        self._bytes += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._bytes > BODY_BYTES:
            raise self._refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE)
        return message

    def _refused(self, status: HTTPStatus, detail: str) -> HTTPException:
        self.is_refused = True
        return HTTPException(status, detail)


def _refused(status: HTTPStatus, detail: str) -> Response:
    headers = {"Connection": "close", "Content-Type": "application/json"}  # the body is not waited for
    return Response(refusal_body(status, detail), status, headers)


def _head_bytes(scope: Scope) -> int:
    fields = sum(len(name) + len(value) + 4 for name, value in scope["headers"])
    return fields + len(scope["raw_path"]) + len(scope["query_string"])


def _announced_bytes(scope: Scope) -> int:
    """The body's size as the head has it; h11 refuses one that is no number."""
    announced = (int(value) for name, value in scope["headers"] if name == b"content-length")
    return max(announced, default=0)
