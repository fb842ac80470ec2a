import string

import msgspec
import pytest

from edge_agent.wire.sample import Reason
from ingest_service.alarms.facts import DeviceBadFacts, ExceedanceFacts, facts_from_json, facts_to_json, kind_of
from ingest_service.alarms.phrases import phrases
from ingest_service.alarms.texts import describe, number
from ingest_service.alarms.vocabulary import LATCHES, SEVERITIES, Kind, Locale
from ingest_service.anomaly.course import MINUTES_OF
from ingest_service.emissions.averages import Averaging
from tests.ingest_service.alarms.examples import FACTS, ZONE

BOTH = [(kind, locale) for kind in Kind for locale in Locale]


@pytest.mark.parametrize(("kind", "locale"), BOTH)
def test_every_kind_says_what_why_and_what_to_do_in_every_language(kind: Kind, locale: Locale) -> None:
    text = describe(FACTS[kind], locale, ZONE)
    sentences = [text.where, text.what, text.cause, text.consequence, text.action, text.respond]
    assert all(sentence.strip() for sentence in sentences)
    assert not any("{" in sentence for sentence in sentences)
    assert text.where in text.what
    assert str(text.respond_within_min) in text.respond
    assert any("\u4e00" <= letter <= "\u9fff" for letter in text.action) == (locale is Locale.ZH)


@pytest.mark.parametrize(("kind", "locale"), BOTH)
def test_both_languages_name_the_same_facts(kind: Kind, locale: Locale) -> None:
    def fields(language: Locale) -> set[str]:
        sentences = msgspec.structs.astuple(phrases().kind[kind].sentences(language))
        return {name for text in sentences for _, name, _, _ in string.Formatter().parse(text) if name}

    assert fields(locale) == fields(Locale.EN)


def test_an_exceedance_tells_mean_limit_unit_hours_and_clause() -> None:
    text = describe(FACTS[Kind.EXCEEDANCE], Locale.EN, ZONE)
    assert text.what == (
        "Qingshan funeral home, Furnace 1: Hydrogen chloride hour mean 45.23 mg/m³ is over the limit of 30 mg/m³"
    )
    assert "From 2026-03-02 10:00 to 11:00 the mean was 1.508 times the limit" in text.cause
    assert "112.4 mg/m³ (at 11 % reference oxygen" in text.cause
    assert "GB 13801-2015 Table 2, hydrogen chloride (rule gb13801-2015-table2@1)" in text.consequence


def test_an_exceedance_reads_naturally_in_chinese() -> None:
    text = describe(FACTS[Kind.EXCEEDANCE], Locale.ZH, ZONE)
    assert text.what == "青山殡仪馆 1号火化炉：氯化氢小时均值 45.23 mg/m³，超过限值 30 mg/m³"
    assert text.cause.startswith("2026-03-02 10:00 至 11:00 的均值为限值的 1.508 倍")


def test_a_shortfall_tells_the_minimum_and_that_nothing_should_be_charged() -> None:
    text = describe(FACTS[Kind.SHORTFALL], Locale.EN, ZONE)
    assert text.what == (
        "Qingshan funeral home, Furnace 1: Secondary chamber temperature 10-minute mean 812.4 °C "
        "is below the minimum of 850 °C"
    )
    assert "nothing should be charged" in text.consequence


def test_every_averaging_has_a_name_in_both_languages() -> None:
    assert set(phrases().period[Locale.ZH]) == set(phrases().period[Locale.EN]) == set(Averaging)


def test_what_is_not_converted_is_said_to_be_as_measured() -> None:
    facts = FACTS[Kind.EXCEEDANCE]
    assert isinstance(facts, ExceedanceFacts)
    opacity = msgspec.structs.replace(facts, reference_o2_pct=None, unit="%", averaging="six_minutes")
    text = describe(opacity, Locale.EN, ZONE)
    assert "6-minute mean" in text.what
    assert "(as measured)" in text.cause


def test_every_reason_of_a_bad_value_has_words() -> None:
    bad = {reason.label for reason in Reason if reason.is_bad}
    assert set(phrases().reasons[Locale.ZH]) == set(phrases().reasons[Locale.EN]) == bad


def test_a_reason_of_a_newer_edge_is_shown_as_it_came() -> None:
    facts = FACTS[Kind.DEVICE_BAD]
    assert isinstance(facts, DeviceBadFacts)
    text = describe(msgspec.structs.replace(facts, reason="gone_fishing"), Locale.EN, ZONE)
    assert "mostly: gone_fishing" in text.cause


@pytest.mark.parametrize("kind", Kind)
def test_facts_survive_being_stored(kind: Kind) -> None:
    assert kind_of(FACTS[kind]) is kind
    assert facts_from_json(facts_to_json(FACTS[kind])) == FACTS[kind]


def test_every_kind_has_phrases_a_severity_and_a_latch() -> None:
    assert set(phrases().kind) == set(SEVERITIES) == set(LATCHES) == set(Kind)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(45.23, "45.23"), (30.04, "30.04"), (30.0, "30"), (0.113, "0.113"), (12400.4, "12400"), (0.0, "0")],
)
def test_numbers_keep_four_significant_digits(value: float, expected: str) -> None:
    assert number(value) == expected


def test_what_is_unusual_is_told_with_what_is_usual_in_that_phase() -> None:
    text = describe(FACTS[Kind.UNUSUAL], Locale.EN, ZONE)
    assert text.what == (
        "Qingshan funeral home, Furnace 1: Secondary chamber temperature 790 °C, usually 850 to 930 °C in burnout"
    )
    assert "5 minutes in a row (6.2 robust standard deviations away" in text.cause
    assert "No limit is exceeded" in text.consequence
    chinese = describe(FACTS[Kind.UNUSUAL], Locale.ZH, ZONE)
    assert chinese.what == "青山殡仪馆 1号火化炉：再燃室温度 790 °C，燃尽阶段的通常范围为 850 至 930 °C"


@pytest.mark.parametrize("locale", Locale)
def test_every_phase_that_is_watched_has_a_name(locale: Locale) -> None:
    assert set(phrases().phase[locale]) == set(MINUTES_OF)
