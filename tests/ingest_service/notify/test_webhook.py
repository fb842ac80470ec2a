import hashlib
import hmac

import msgspec
import pytest

from ingest_service.alarms.lifecycle import Audience, Change, observe
from ingest_service.alarms.messages import AlarmMessage, Medium, Receiver, compose
from ingest_service.alarms.vocabulary import Kind, Locale
from ingest_service.config import Webhook
from ingest_service.errors import ConfigError
from ingest_service.notify.notifier import Outcome
from ingest_service.notify.webhook import EVENT, SIGNATURE, TIMESTAMP, WebhookNotifier
from tests.ingest_service.alarms.examples import NOON, ZONE, condition
from tests.ingest_service.notify.receiver import Inlet, listening


def message() -> AlarmMessage:
    (change,) = observe([], condition(Kind.EXCEEDANCE, NOON), NOON + 5_000)
    assert isinstance(change, Change)
    assert change.audience is Audience.EVERYONE
    return compose(change, 17, 3, Receiver(Medium.WEBHOOK, "", Locale.ZH), ZONE)


def sent(inlet: Inlet, *, secret_env: str = "", timeout_s: float = 5.0) -> tuple[Outcome, str]:
    notifier = WebhookNotifier([Webhook(url=inlet.url, secret_env=secret_env)], "service.toml", timeout_s)
    receipt = notifier.send(Receiver(Medium.WEBHOOK, inlet.url, Locale.ZH), message(), NOON)
    notifier.close()
    return receipt.outcome, receipt.detail


def test_a_message_arrives_as_json_with_its_event_and_time() -> None:
    with listening(204) as inlet:
        outcome, detail = sent(inlet)
    (request,) = inlet.requests
    assert outcome is Outcome.ACCEPTED
    assert "HTTP 204" in detail
    assert request.path == "/hook?token=hush"
    assert request.headers[EVENT] == "17-3-raised"
    assert request.headers[TIMESTAMP] == str(NOON)
    assert SIGNATURE not in request.headers
    assert msgspec.json.decode(request.body, type=AlarmMessage) == message()
    assert "氯化氢小时均值" in request.body.decode()


def test_with_a_secret_time_and_body_are_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_KEY", "s3cret")
    with listening(200) as inlet:
        sent(inlet, secret_env="HOOK_KEY")
    (request,) = inlet.requests
    signed = request.headers[TIMESTAMP].encode() + b"." + request.body
    assert request.headers[SIGNATURE] == "sha256=" + hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Outcome.ACCEPTED),
        (202, Outcome.ACCEPTED),
        (429, Outcome.RETRY),
        (500, Outcome.RETRY),
        (503, Outcome.RETRY),
        (302, Outcome.REFUSED),
        (400, Outcome.REFUSED),
        (404, Outcome.REFUSED),
        (410, Outcome.REFUSED),
    ],
)
def test_the_answer_decides_what_comes_next(status: int, expected: Outcome) -> None:
    with listening(status) as inlet:
        assert sent(inlet)[0] is expected


def test_a_receiver_that_does_not_answer_is_tried_again() -> None:
    with listening(0) as inlet:
        outcome, detail = sent(inlet, timeout_s=0.1)
    assert outcome is Outcome.RETRY
    assert "ReadTimeout" in detail


def test_a_receiver_that_is_not_there_is_tried_again() -> None:
    with listening() as gone:
        pass
    outcome, detail = sent(gone)
    assert outcome is Outcome.RETRY
    assert "ConnectError" in detail


@pytest.mark.parametrize("status", [200, 404, 500])
def test_the_record_does_not_give_away_the_address(status: int) -> None:
    with listening(status) as inlet:
        assert "hush" not in sent(inlet)[1]


def test_an_address_that_is_no_longer_configured_is_refused() -> None:
    notifier = WebhookNotifier([], "service.toml")
    receipt = notifier.send(Receiver(Medium.WEBHOOK, "http://127.0.0.1:1/x", Locale.EN), message(), NOON)
    notifier.close()
    assert receipt.outcome is Outcome.REFUSED


def test_a_webhook_whose_secret_is_not_set_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigError) as refused:
        WebhookNotifier([Webhook(url="http://127.0.0.1/x", secret_env="NOT_SET_ANYWHERE")], "service.toml")
    assert (refused.value.file, refused.value.key) == ("service.toml", "webhook[0].secret_env")
