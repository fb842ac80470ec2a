"""Words in both languages, and those that the product already has."""

import tomllib
from enum import StrEnum, unique
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from edge_agent.wire.quantity import quantities


@unique
class Locale(StrEnum):
    """The languages of dashboards."""

    ZH = "zh"
    EN = "en"


class Text(msgspec.Struct, frozen=True):
    """A text in Chinese and English."""

    zh: str
    en: str

    def of(self, locale: Locale) -> str:
        """The text in that language."""
        return self.zh if locale is Locale.ZH else self.en


def same(text: str) -> Text:
    """A text that is the same in both languages, as a formula is."""
    return Text(text, text)


def quantity(name: str) -> Text:
    """The name of a quantity of the wire contract."""
    found = quantities()[name]
    return Text(found.zh, found.en)


def page_word(group: str, name: str) -> Text:
    """A word of the service's page."""
    return Text(*(str(_page(locale)[group][name]) for locale in Locale))


@cache
def _page(locale: Locale) -> dict[str, Any]:
    text = files("ingest_service.api.page.locales").joinpath(f"{locale}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
