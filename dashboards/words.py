"""Variables, meanings and thresholds that several dashboards share; limits and units come from the product."""

from functools import cache

from dashboards.asking import Match
from dashboards.panel import Colour, Meaning, Step, Variable
from dashboards.text import Locale, Text, page_word, quantity
from edge_agent.wire.quantity import PHASES, quantities
from ingest_service.alarms.phrases import phrases
from ingest_service.alarms.vocabulary import Locale as AlarmLocale
from ingest_service.alarms.vocabulary import Severity
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.limits import Verdict
from ingest_service.emissions.pack import Limit, RulePack
from ingest_service.emissions.rulepack import load_pack, pack_names
from ingest_service.emissions.units import Pollutant
from ingest_service.emissions.vocabulary import Bound

PHASE_COLOURS = {
    "idle": Colour.NOTHING,
    "preheat": Colour.LIGHT,
    "charge": Colour.GOOD,
    "ignition": Colour.DEEP,
    "main": Colour.STEEL,
    "burnout": Colour.SOFT,
    "cooling": Colour.NORMAL,
}
VERDICT_COLOURS = {
    Verdict.WITHIN: Colour.GOOD,
    Verdict.EXCEEDED: Colour.BAD,
    Verdict.INVALID: Colour.WARN,
    Verdict.NOT_JUDGED: Colour.NOTHING,
}
# Grafana's ids for the units of the wire contract and of rules; what it has no id for is written behind the number.
UNITS = {
    "": "none",
    "°C": "celsius",
    "°F": "fahrenheit",
    "Pa": "pressurepa",
    "%": "percent",
    "Hz": "hertz",
    "A": "amp",
    "kW": "kwatt",
    "kWh": "kwatth",
    "m3": "m3",
    "m/s": "velocityms",
    "mg/m3": "conmgm3",
    "ug/m3": "conμgm3",
    "ppm": "ppm",
    "m3/h": "suffix: m³/h",
    "kg/h": "suffix: kg/h",
}
ROOM_STEPS = (Step(None, Colour.BAD), Step(0, Colour.WARN), Step(20, Colour.NORMAL))
SOME_STEPS = (Step(None, Colour.NORMAL), Step(1, Colour.BAD))
HOME = Variable("home", Text("殡仪馆", "Home"), "furnace", "age_s")
FURNACE = Variable("furnace", Text("火化机", "Furnace"), "furnace", "age_s", (Match("home", variable="home"),))
ONE_HOME = Variable("home", HOME.name, "furnace", "age_s", (), many=False)
ONE_FURNACE = Variable("furnace", FURNACE.name, "furnace", "age_s", FURNACE.within, many=False)


def place_tags(locale: Locale) -> tuple[str, ...]:
    """The tags of a furnace: the names that a reader sees, and the ids that tell apart what has one name."""
    return (*home_tags(locale)[:1], f"furnace_{locale}", "home", "furnace")


def home_tags(locale: Locale) -> tuple[str, ...]:
    """The same of a home."""
    return f"home_{locale}", "home"


def phase_meanings() -> tuple[Meaning, ...]:
    """The phases by their codes."""
    return tuple(Meaning(code, page_word("phase", name), PHASE_COLOURS[name]) for code, name in PHASES.items())


def verdict_meanings() -> tuple[Meaning, ...]:
    """What became of a period, by its code."""
    return tuple(Meaning(verdict, page_word("verdict", verdict.label), VERDICT_COLOURS[verdict]) for verdict in Verdict)


def switch_meanings() -> tuple[Meaning, ...]:
    """On and off."""
    on, off = page_word("state", "on"), page_word("state", "off")
    return Meaning(0, off, Colour.NOTHING), Meaning(1, on, Colour.GOOD)


def unit_of(name: str) -> str:
    """Grafana's id for the unit of a quantity."""
    return UNITS[quantities()[name].unit]


def series_of(measurement: str, *fields: str) -> Text:
    """Where a panel's numbers come from."""
    named = ", ".join(fields)
    return Text(f"数据：{measurement} · {named}。", f"Series: {measurement} · {named}.")


def both(*parts: Text) -> Text:
    """Sentences one after the other."""
    return Text("".join(part.zh for part in parts), " ".join(part.en for part in parts))


def judged_pollutants() -> tuple[Pollutant, ...]:
    """What any rule pack of the product judges, in the order of the vocabulary."""
    known = {limit.pollutant for _, limit in _limits()}
    return tuple(one for one in Pollutant if one in known)


def rules_text() -> Text:
    """The rule packs of the product that judge, by the ids that series and pages have."""
    ids = sorted({pack.id for pack, _ in _limits()})
    return Text(f"规则：{'、'.join(ids)}。", f"Rules: {', '.join(ids)}.")


def limits_text(pollutant: Pollutant) -> Text:
    """Every limit that a rule pack of the product has for it, with its clause."""
    own = [(pack, limit) for pack, limit in _limits() if limit.pollutant is pollutant]
    return Text(
        "；".join(_limit(one, Locale.ZH) for one in own) + "。", "; ".join(_limit(one, Locale.EN) for one in own) + "."
    )


def limit_unit(pollutant: Pollutant) -> str:
    """Grafana's id for the unit in which most limits of it are written: that of the first pack."""
    return next(UNITS[limit.unit] for _, limit in _limits() if limit.pollutant is pollutant)


def pollutant_name(pollutant: Pollutant) -> Text:
    """Its name, as the wire contract has it."""
    return quantity(pollutant.value)


@cache
def tag_words(tag: str) -> dict[str, Text]:
    """What the ids that a tag can hold are called; of a tag without ids nothing."""
    match tag:
        case "pollutant":
            return {one.value: pollutant_name(one) for one in judged_pollutants()}
        case "period":
            used = {limit.averaging for _, limit in _limits()}
            return {one.value: averaging_name(one) for one in Averaging if one in used}
        case "severity":
            return {one.value: page_word("severity", one.value) for one in Severity}
        case _:
            return {}


def averaging_name(averaging: Averaging) -> Text:
    """The name of an averaging, as alarms call it."""
    return Text(*(phrases().period[locale][averaging] for locale in (AlarmLocale.ZH, AlarmLocale.EN)))


@cache
def _limits() -> tuple[tuple[RulePack, Limit], ...]:
    return tuple((pack, limit) for pack in map(load_pack, pack_names()) for limit in pack.judged)


def _limit(found: tuple[RulePack, Limit], locale: Locale) -> str:
    _, limit = found
    sign = {Bound.AT_MOST: "≤", Bound.BELOW: "<", Bound.AT_LEAST: "≥"}[limit.bound]
    clause = limit.clause_zh if locale is Locale.ZH else limit.clause_en
    unit = limit.unit.value.replace("m3", "m³")
    return f"{clause} {sign} {limit.limit:g} {unit} ({averaging_name(limit.averaging).of(locale)})"
