"""The page's texts in each language (locales/*.toml) and the choice between a name's two forms."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from ingest_service.alarms.vocabulary import Locale

REASON_MARK = ": "


LANG_TAGS = {Locale.ZH: "zh-CN", Locale.EN: "en"}  # values of the `lang` attribute


class Texts:
    """The texts of one language; a key is `<table>.<name>` of its file."""

    def __init__(self, locale: Locale, texts: dict[str, str]) -> None:
        self.locale = locale
        self._texts = texts

    def __call__(self, key: str, **facts: Any) -> str:
        """The text of that key with its facts filled in. KeyError where there is none."""
        text = self._texts[key]
        return text.format(**facts) if facts else text

    def keys(self) -> list[str]:
        """Every key, in the file's order."""
        return list(self._texts)

    def under(self, table: str) -> list[str]:
        """The names in a table, in the file's order."""
        return [key.removeprefix(f"{table}.") for key in self._texts if key.startswith(f"{table}.")]

    def either(self, zh: str, en: str, fallback: str = "") -> str:
        """The form of a name in this language; the other language's rather than none."""
        first, second = (zh, en) if self.locale is Locale.ZH else (en, zh)
        return first or second or fallback

    def known(self, table: str, name: str) -> str:
        """The text of a code; the code itself where the centre is older than whoever sent it."""
        return self._texts.get(f"{table}.{name}", name)

    def note(self, note: str) -> str:
        """An acknowledgement's note with its reason in this language."""
        reason, mark, rest = note.partition(REASON_MARK)
        return self.known("ack_reason", reason) + mark + rest


@cache
def texts(locale: Locale) -> Texts:
    """The texts of that language."""
    folder = files("ingest_service.api.page").joinpath("locales")
    tables: dict[str, dict[str, str]] = {}
    for name in (
        f"{locale}.toml",
        f"compliance.{locale}.toml",
        f"people.{locale}.toml",
        f"cremations.{locale}.toml",
        f"audit.{locale}.toml",
    ):
        tables |= tomllib.loads(folder.joinpath(name).read_text(encoding="utf-8"))
    flat = {f"{table}.{name}": text for table, entries in tables.items() for name, text in entries.items()}
    return Texts(locale, flat)
