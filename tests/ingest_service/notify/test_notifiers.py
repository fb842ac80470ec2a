import importlib
import inspect
import pkgutil

import ingest_service.notify
from ingest_service.alarms.messages import Medium, Receiver
from ingest_service.alarms.vocabulary import Kind, Locale
from ingest_service.config import Webhook
from ingest_service.notify.notifier import Notifier, Outcome
from ingest_service.notify.notifiers import NOTIFIERS, configured_receivers, open_notifiers
from tests.ingest_service.alarms.examples import NOON
from tests.ingest_service.notify.test_webhook import message


def test_every_notifier_module_is_in_the_table_and_every_channel_has_one() -> None:
    modules = [
        importlib.import_module(f"ingest_service.notify.{entry.name}")
        for entry in pkgutil.iter_modules(ingest_service.notify.__path__)
    ]
    found = {
        kind
        for module in modules
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if name.endswith("Notifier") and kind is not Notifier
    }
    assert found == set(NOTIFIERS.values())
    assert set(NOTIFIERS) == set(Medium)


def test_every_webhook_and_the_inbox_in_every_language_are_receivers() -> None:
    receivers = configured_receivers([Webhook(url="http://127.0.0.1/a", locale=Locale.EN)])
    assert Receiver(Medium.WEBHOOK, "http://127.0.0.1/a", Locale.EN) in receivers
    inboxes = [receiver.locale for receiver in receivers if receiver.medium is Medium.INBOX]
    assert inboxes == list(Locale)


def test_the_inbox_accepts_at_once() -> None:
    notifiers = open_notifiers([], "service.toml")
    inbox = configured_receivers([])[0]
    assert notifiers[Medium.INBOX].send(inbox, message(), NOON).outcome is Outcome.ACCEPTED
    for notifier in notifiers.values():
        notifier.close()
    assert message().kind is Kind.EXCEEDANCE
