"""What a rendering asks of the texts of one language; the page's texts answer it."""

from typing import Any, Protocol

from ingest_service.alarms.vocabulary import Locale


class Words(Protocol):
    """The texts of one language; a key is `<table>.<name>`."""

    @property
    def locale(self) -> Locale:
        """Which language."""

    def __call__(self, key: str, **facts: Any) -> str:
        """The text of that key with its facts filled in."""

    def known(self, table: str, name: str) -> str:
        """The text of a code; the code itself where there is none."""

    def either(self, zh: str, en: str, fallback: str = "") -> str:
        """The form of a name in this language; the other language's rather than none."""
