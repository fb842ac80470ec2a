"""The inbox on the page: what is stored is delivered, because the page shows what is stored."""

from collections.abc import Sequence

from ingest_service.alarms.messages import INBOXES, AlarmMessage, Receiver
from ingest_service.config import Webhook
from ingest_service.notify.notifier import Outcome, Receipt


class InboxNotifier:
    """Accepts everything at once."""

    def __init__(self, _webhooks: Sequence[Webhook], _file: str) -> None:
        pass

    @staticmethod
    def receivers(_webhooks: Sequence[Webhook]) -> tuple[Receiver, ...]:
        """One box a language; a reader sees theirs."""
        return INBOXES

    def send(self, receiver: Receiver, message: AlarmMessage, now_ms: int) -> Receipt:
        """The message stands in the box already."""
        return Receipt(Outcome.ACCEPTED, "shown on the page")

    def close(self) -> None:
        """Nothing is open."""
