"""The sentences of alarms (phrases.toml): per kind and language, with {fields} that `texts.py` fills in."""

import tomllib
from functools import cache
from importlib.resources import files

import msgspec

from ingest_service.alarms.vocabulary import Kind, Locale


class Sentences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of alarm in one language."""

    what: str
    cause: str
    consequence: str
    action: str


class KindPhrases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of alarm in both languages, and how long a responder has (minutes)."""

    respond_within_min: int
    zh: Sentences
    en: Sentences

    def sentences(self, locale: Locale) -> Sentences:
        """Those of that language."""
        return self.zh if locale is Locale.ZH else self.en


class Basis(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a figure refers to: converted gas, or as it was measured."""

    converted: str
    measured: str


class Phrases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file; `reasons` names the labels of `wire.sample.Reason` that mean a bad value.

    `period` names the means of `emissions.averages`; `basis` says to which gas a figure refers; `phase` names those
    phases in which a furnace burns.
    """

    kind: dict[Kind, KindPhrases]
    respond: dict[Locale, str]
    reasons: dict[Locale, dict[str, str]]
    clock: dict[Locale, dict[str, str]]  # what a clock is: behind, ahead
    period: dict[Locale, dict[str, str]]
    basis: dict[Locale, Basis]
    phase: dict[Locale, dict[str, str]]


@cache
def phrases() -> Phrases:
    """Every sentence."""
    text = files("ingest_service.alarms").joinpath("phrases.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Phrases)
