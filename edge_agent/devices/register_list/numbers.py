"""Scales, ranges and codes as lists write them."""

import re

from edge_agent.devices.register_list.cells import CellError, unified

_NUMBER = r"[-+]?\d+(?:[.,]\d+)?(?:e[-+]?\d+)?"
_PLAIN = re.compile(_NUMBER)
_FRACTION = re.compile(rf"1?\s*[/÷]\s*(?P<by>{_NUMBER})")
_TIMES = re.compile(rf"(?:[x×*]|raw\s*\*)?\s*(?P<times>{_NUMBER})\s*(?:倍)?")
_ENDS = rf"(?P<low>{_NUMBER})\s*(?:\.{{2,3}}|…|~|～|-|–|—|至|to)\s*(?P<high>{_NUMBER})"
_UNIT_BEHIND = r"\s*(?:[^\d\s.,;~\-–—…±+].*)?"
_RANGE = re.compile(rf"[(\[]?\s*{_ENDS}{_UNIT_BEHIND}")
_PAIR = re.compile(r"[(\[]\s*(?P<low>[-+]?[\d.]+)\s*[,;]\s*(?P<high>[-+]?[\d.]+)\s*[)\]].*")
_AROUND = re.compile(rf"(?:±|\+/?-)\s*(?P<by>{_NUMBER}){_UNIT_BEHIND}")
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+")
_CODE = re.compile(
    r"(?<![\d.])(?P<code>\d{1,5})\s*[=:：-]\s*(?P<state>[^\d\s,，;；、/|=:：][^,，;；、/|=:：\n]*?)\s*(?=$|[,，;；、/|\n]|\s\d)"
)


def parse_number(text: str) -> float:
    """A number, with a decimal point or comma. Raises CellError."""
    plain = unified(text).replace(" ", "")
    if not _PLAIN.fullmatch(plain):
        raise CellError(f'"{text}" is no number', "a number such as 0.1")
    if _THOUSANDS.fullmatch(plain):
        raise CellError(f'"{text}" may be {plain.replace(",", ".")} or {plain.replace(",", "")}', "no comma")
    return float(plain.replace(",", "."))


def parse_scale(text: str) -> float:
    """What a raw number is multiplied by: 0.1, x0.1, /10, 1/10. Raises CellError."""
    plain = unified(text)
    if found := _FRACTION.fullmatch(plain):
        divisor = parse_number(found["by"])
        scale = 1 / divisor if divisor else 0.0
    elif found := _TIMES.fullmatch(plain):
        scale = parse_number(found["times"])
    else:
        raise CellError(f'"{text}" is no scale', "0.1, x0.1, /10 or 1/10")
    if scale == 0:
        raise CellError(f'"{text}" makes every value the same', "any scale but 0")
    return scale


def parse_range(text: str) -> tuple[float, float]:
    """The two ends of a range: 0-1000, -200~50, 0..25, ±500, with or without a unit behind. Raises CellError."""
    plain = unified(text)
    if found := _AROUND.fullmatch(plain):
        half = parse_number(found["by"])
        return -half, half
    found = _PAIR.fullmatch(plain) or _RANGE.fullmatch(plain)
    if found is None:
        raise CellError(f'"{text}" is no range', "0-1000, 0~1000, 0..1000 or ±500")
    low, high = parse_number(found["low"]), parse_number(found["high"])
    if not low < high:
        raise CellError(f'"{text}" is an empty range', "low < high")
    return low, high


def parse_states(text: str) -> dict[int, str]:
    """The codes that a comment explains (`0=停止 1=运行`); empty where it explains fewer than two."""
    found = {int(match["code"]): match["state"].strip() for match in _CODE.finditer(text)}
    return found if len(found) >= 2 else {}
