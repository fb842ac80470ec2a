"""Webhooks: a POST with the message as JSON, signed where a secret is configured."""

import hashlib
import hmac
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx
import msgspec

from ingest_service.alarms.messages import AlarmMessage, Medium, Receiver
from ingest_service.config import Webhook
from ingest_service.credentials import secret
from ingest_service.notify.notifier import Outcome, Receipt

TIMEOUT_S = 10.0  # for each wait on a receiver: to connect, to take the message, to answer
TIMESTAMP, EVENT, SIGNATURE = "X-Clearstack-Timestamp", "X-Clearstack-Event", "X-Clearstack-Signature"
_TOO_MANY, _SERVER_ERROR = 429, 500


def sign(key: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 (hex) over `<timestamp>.<body>`: a receiver that checks both is safe from forgeries and replays."""
    return hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class WebhookNotifier:
    """Posts to every configured address. Raises ConfigError for a secret that is not set."""

    def __init__(self, webhooks: Sequence[Webhook], file: str, timeout_s: float = TIMEOUT_S) -> None:
        self._keys: dict[str, str] = {}
        for number, webhook in enumerate(webhooks):
            self._keys[webhook.url] = secret(webhook.secret_env, webhook.secret_file, file, f"webhook[{number}].secret")
        self._client = httpx.Client(timeout=timeout_s)

    @staticmethod
    def receivers(webhooks: Sequence[Webhook]) -> tuple[Receiver, ...]:
        """One receiver an address."""
        return tuple(Receiver(Medium.WEBHOOK, webhook.url, webhook.locale) for webhook in webhooks)

    def send(self, receiver: Receiver, message: AlarmMessage, now_ms: int) -> Receipt:
        """POST it once: 2xx is accepted; 429, 5xx, timeouts and broken connections are worth another try."""
        if receiver.address not in self._keys:
            return Receipt(Outcome.REFUSED, f"{_place(receiver.address)}: no longer configured")
        body = msgspec.json.encode(message)
        headers = self._headers(receiver.address, message, body, str(now_ms))
        begun_s = time.perf_counter()
        try:
            with self._client.stream("POST", receiver.address, content=body, headers=headers) as answer:
                status = answer.status_code  # the body is not read: nothing in it matters, and it may never end
        except httpx.HTTPError as error:
            return Receipt(Outcome.RETRY, f"{_place(receiver.address)}: {type(error).__name__}")
        took_ms = round((time.perf_counter() - begun_s) * 1000)
        return Receipt(_outcome(status), f"{_place(receiver.address)}: HTTP {status}, {took_ms} ms")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _headers(self, url: str, message: AlarmMessage, body: bytes, timestamp: str) -> dict[str, str]:
        headers = {"Content-Type": "application/json; charset=utf-8", TIMESTAMP: timestamp, EVENT: message.event_id}
        if key := self._keys[url]:
            headers[SIGNATURE] = f"sha256={sign(key, timestamp, body)}"
        return headers


def _outcome(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome.ACCEPTED
    return Outcome.RETRY if status == _TOO_MANY or status >= _SERVER_ERROR else Outcome.REFUSED


def _place(url: str) -> str:
    """Where it went, without path, query or password: those may be secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
