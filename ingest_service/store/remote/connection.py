"""One server over HTTP: the only place that uses influxdb-client. Its answers become bytes or a StoreError."""

import re
from collections.abc import Mapping
from typing import Any, cast

import msgspec
import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError

from ingest_service.errors import StoreError
from ingest_service.store.remote.failures import Busy, RefusedData, TooLarge, Unreachable

DEFAULT_PAUSE_S = 1.0  # where a busy server does not say how long
_MILLISECONDS = cast("WritePrecision", WritePrecision.MS)  # a text, though the client asks for its class
_ABOUT_THE_DATA = re.compile(
    r"partial write|unable to parse|type conflict|invalid (line|column|field|number|tag|boolean)|beyond retention"
    r"|outside of? (the )?retention|schema|line protocol",
    re.IGNORECASE,
)


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server is and who we are. `token` is "" where none is asked for, name:password for InfluxDB 1."""

    url: str
    token: str = ""
    org: str = ""
    timeout_s: float = 10.0
    ca_file: str = ""


class Connection:
    """A pool of connections to one server. Any thread may call."""

    def __init__(self, address: Address) -> None:
        self.url = address.url.rstrip("/")
        self._org = address.org
        self._timeout = urllib3.Timeout(connect=min(3.0, address.timeout_s), read=address.timeout_s)
        self._client = InfluxDBClient(
            self.url,
            token=address.token,
            org=address.org or "-",
            timeout=round(address.timeout_s * 1000),
            ssl_ca_cert=address.ca_file or None,
        )
        self._headers = _authorization(address.token)
        self._writing = self._client.write_api(write_options=SYNCHRONOUS)
        self._pool: urllib3.PoolManager = self._client.api_client.rest_client.pool_manager

    def write_v2(self, bucket: str, lines: bytes) -> None:
        """Lines with times in ms to `/api/v2/write`. Raises StoreError, of which class says what to do."""
        try:
            self._writing.write(bucket, self._org or "-", lines, _MILLISECONDS)
        except ApiException as error:
            raise _failure(self.url, error.status or 0, error.body or error.reason or "", error.headers) from error
        except HTTPError as error:
            raise Unreachable(f"{self.url}: {_why(error)}") from error

    def get(self, path: str, fields: Mapping[str, str] | None = None) -> bytes:
        """The body of a GET."""
        return self._ask("GET", self.url + path, fields=dict(fields or {}))

    def post_form(self, path: str, fields: list[tuple[str, str]]) -> bytes:
        """The body of a POST of a form: queries may be longer than an address."""
        return self._ask("POST", self.url + path, fields=fields, encode_multipart=False)

    def send(self, method: str, path: str, body: bytes, content_type: str = "text/plain") -> bytes:
        """The body of the answer to bytes."""
        return self._ask(method, self.url + path, body=body, content_type=content_type)

    def header(self, path: str, name: str) -> str:
        """One header of the answer to a GET; "" where it has none."""
        return self._request("GET", self.url + path).headers.get(name, "")

    def read(self, url: str) -> bytes:
        """The body of a GET of another address, as a node of the same cluster."""
        return self._ask("GET", url)

    def close(self) -> None:
        """Let go of the connections."""
        self._writing.close()  # type: ignore[no-untyped-call]
        self._client.close()  # type: ignore[no-untyped-call]
        self._pool.clear()

    def _ask(self, method: str, url: str, **what: Any) -> bytes:
        return self._request(method, url, **what).data

    def _request(self, method: str, url: str, content_type: str = "", **what: Any) -> urllib3.BaseHTTPResponse:
        headers = self._headers | ({"Content-Type": content_type} if content_type else {})
        try:
            answer = self._pool.request(method, url, headers=headers, timeout=self._timeout, **what)
        except HTTPError as error:
            raise Unreachable(f"{self.url}: {_why(error)}") from error
        if not 200 <= answer.status <= 299:
            raise _failure(self.url, answer.status, answer.data, answer.headers)
        return answer


def _authorization(token: str) -> dict[str, str]:
    """A token, or name:password as InfluxDB 1 has it; no token of InfluxDB 2 or 3 holds a colon."""
    if ":" in token:
        return dict(urllib3.make_headers(basic_auth=token))
    return {"Authorization": f"Token {token}"} if token else {}


def _failure(url: str, status: int, body: bytes | str, headers: Mapping[str, str] | None) -> StoreError:
    """What an answer that is not a success means."""
    said = _message(body)
    text = f"{url}: {status}: {said}"
    if status in (429, 503):
        return Busy(text, _retry_after_s(headers or {}))
    if status == 413:
        return TooLarge(text)
    if status == 422 or (status == 400 and _ABOUT_THE_DATA.search(said)):
        return RefusedData(text)
    if status in (401, 403):
        return StoreError(f"{url}: {status}: the token is not accepted: {said}")
    if status == 404:
        return StoreError(f"{url}: 404: {said} (`ingest-service store init` makes what is missing)")
    return StoreError(text)


def _message(body: bytes | str) -> str:
    """The error text of a JSON answer, or the beginning of any other."""
    raw = body.encode() if isinstance(body, str) else body
    try:
        found = msgspec.json.decode(raw, type=dict[str, Any])
        text = str(found.get("error") or found.get("message") or found)
    except (msgspec.DecodeError, msgspec.ValidationError):
        text = raw.decode(errors="replace")
    return " ".join(text.split())[:300] or "no text"


def _retry_after_s(headers: Mapping[str, str]) -> float:
    try:
        return max(0.0, float(headers.get("Retry-After", DEFAULT_PAUSE_S)))
    except ValueError:  # a date: as good as no figure
        return DEFAULT_PAUSE_S


def _why(error: HTTPError) -> str:
    if isinstance(error, ReadTimeoutError):
        return "does not answer in time"
    if isinstance(error, NewConnectionError | ConnectTimeoutError):
        return "cannot be reached"
    return f"the connection broke ({type(error).__name__})"
