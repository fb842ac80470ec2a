"""Which quantity a row speaks of, guessed from its name and unit in Chinese or English."""

import re
import tomllib
from decimal import Decimal
from enum import Enum
from functools import cache
from importlib.resources import files
from itertools import pairwise

import msgspec

from edge_agent.devices.register_list.cells import unified
from edge_agent.devices.register_list.units import factor_to
from edge_agent.wire.quantity import quantities

_CJK = re.compile(r"[\u4e00-\u9fff]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[a-z]+\d*|\d+")
_SAME = {
    "temp": "temperature",
    "tem": "temperature",
    "conc": "concentration",
    "freq": "frequency",
    "press": "pressure",
    "sec": "secondary",
    "pri": "primary",
    "amps": "current",
    "totaliser": "totalizer",
    "oxygenconcentration": "oxygen",
}
# A name that holds one of these speaks of a setting, an alarm or a worked-out value, not of what is measured.
_NOT_MEASURED = re.compile(
    r"设定|给定|报警|告警|上限|下限|高限|低限|折算|修正值|故障|手动|目标|校准|"
    r"\b(?:set ?point|setpoint|sp|set|alarm|limit|converted|corrected|fault|target|calibration|manual|high|low|hi|lo)\b"
)
SURE_SCORE = 4


class Certainty(Enum):
    """How far a guess can be relied on."""

    SURE = "sure"
    UNSURE = "unsure"


class _Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How names speak of a quantity (words.toml)."""

    ways: list[str]
    codes: list[str] = []


class Meaning(msgspec.Struct, frozen=True):
    """A guess: the quantity, the factor to its unit, and why it is in doubt where it is."""

    quantity: str
    factor: Decimal
    certainty: Certainty
    doubt: str = ""


class Refusal(msgspec.Struct, frozen=True):
    """No guess, and why a person might have expected one."""

    why: str


def guess_meaning(name: str, unit: str, *, is_bit: bool) -> Meaning | Refusal | None:
    """The quantity that a name speaks of; None where it speaks of none that we know."""
    scores = _scores(name)
    best = max(scores.values(), default=0)
    likely = [quantity for quantity, score in scores.items() if score == best] or _by_code(name)
    if not likely:
        return None
    if found := _NOT_MEASURED.search(_spaced(name)):
        return Refusal(f'no quantity: "{found[0].strip()}" says that {likely[0]} is not measured here')
    likely = [one for one in likely if _fits(one, unit)] or likely
    if len(likely) > 1:
        return Refusal(f"no quantity: it may be {' or '.join(likely)}")
    return _with_unit(likely[0], best, unit, is_bit=is_bit)


def _fits(quantity: str, unit: str) -> bool:
    return not unit or factor_to(unit, quantities()[quantity].unit, quantity) is not None


def _with_unit(quantity: str, score: int, unit: str, *, is_bit: bool) -> Meaning | Refusal:
    expected = quantities()[quantity].unit
    if is_bit and expected:
        return Refusal(f"no quantity: {quantity} is in {expected}, and this is one bit")
    if not unit:
        is_sure = not expected and score >= SURE_SCORE
        doubt = (
            "" if is_sure else f"{quantity} by its name alone" + (f", taken to be in {expected}" if expected else "")
        )
        return Meaning(quantity, Decimal(1), Certainty.SURE if is_sure else Certainty.UNSURE, doubt)
    factor = factor_to(unit, expected, quantity)
    if factor is None:
        return Refusal(f"no quantity: its name speaks of {quantity} in {expected or 'no unit'}, its unit is {unit}")
    if not score:
        return Meaning(quantity, factor, Certainty.UNSURE, f"{quantity} by a code that often means it")
    return Meaning(quantity, factor, Certainty.SURE)


def _scores(name: str) -> dict[str, int]:
    """How much of a name speaks of each quantity: the letters of the longest way that fits, Chinese ones twice."""
    words, text = _words(name), _spaced(name)
    scores = {}
    for quantity, said in _said().items():
        ways = [way.split() for way in said.ways]
        fitting = [sum(map(_weight, parts)) for parts in ways if all(_holds(part, words, text) for part in parts)]
        if fitting:
            scores[quantity] = max(fitting)
    return scores


def _holds(part: str, words: set[str], text: str) -> bool:
    return part in text if _CJK.search(part) else part in words


def _weight(part: str) -> int:
    return 2 * len(part) if _CJK.search(part) else len(part)


def _spaced(name: str) -> str:
    return re.sub(r"[_\-./]+", " ", unified(_CAMEL.sub(" ", name)))


def _words(name: str) -> set[str]:
    """The Latin words of a name, with `burner 1` also as `burner1` and short forms written out."""
    listed = [_SAME.get(word, word) for word in _WORD.findall(_spaced(name))]
    joined = {one + other for one, other in pairwise(listed) if other.isdigit()}
    return set(listed) | joined | {word.rstrip("0123456789") for word in listed if len(word) > 4}


def _by_code(name: str) -> list[str]:
    words = _words(name)
    return [quantity for quantity, said in _said().items() if words & set(said.codes)]


@cache
def _said() -> dict[str, _Said]:
    text = files("edge_agent.devices.register_list").joinpath("words.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, _Said])
