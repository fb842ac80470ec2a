"""The table of notifiers: one module each, one line here."""

from collections.abc import Mapping, Sequence

from ingest_service.alarms.messages import Medium, Receiver
from ingest_service.config import Webhook
from ingest_service.notify.inbox import InboxNotifier
from ingest_service.notify.notifier import Notifier
from ingest_service.notify.webhook import WebhookNotifier

NOTIFIERS: dict[Medium, type[InboxNotifier] | type[WebhookNotifier]] = {
    Medium.INBOX: InboxNotifier,
    Medium.WEBHOOK: WebhookNotifier,
}


def open_notifiers(webhooks: Sequence[Webhook], file: str) -> Mapping[Medium, Notifier]:
    """Every notifier, ready; `file` is the configuration that errors name. Raises ConfigError."""
    return {channel: notifier(webhooks, file) for channel, notifier in NOTIFIERS.items()}


def configured_receivers(webhooks: Sequence[Webhook]) -> tuple[Receiver, ...]:
    """Everyone who is told of alarms."""
    return tuple(receiver for notifier in NOTIFIERS.values() for receiver in notifier.receivers(webhooks))
