"""Which passwords are refused: short ones, common ones, ones made of the account's name or of a plain pattern. Pure."""

import re
import unicodedata
from enum import StrEnum
from functools import cache
from importlib.resources import files

LEAST_LENGTH = 10
MOST_LENGTH = 128
LEAST_DIFFERENT = 5
LEAST_LISTED = 4  # shorter entries, without their marks, stand in honest passwords too
RUN = 5  # so many neighbours in a row (alphabet, digits, keyboard) are a pattern
_PLAIN_FORMS = str.maketrans("@4301!5$7+", "aaeoiisstt")
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "0123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb")


class Weakness(StrEnum):
    """Why a password is refused."""

    SHORT = "short"
    LONG = "long"
    COMMON = "common"
    NAME = "name"
    PATTERN = "pattern"


def weakness(password: str, *names: str) -> Weakness | None:
    """Why a password is refused; `names` are those of the account and the site, which must not make it up."""
    if len(password) < LEAST_LENGTH:
        return Weakness.SHORT
    if len(password) > MOST_LENGTH:
        return Weakness.LONG
    core = _core(password)
    if core in common() or _letters(password) in common():
        return Weakness.COMMON
    if any(name and len(core) - len(_core(name)) < LEAST_DIFFERENT and _core(name) in core for name in names):
        return Weakness.NAME
    return Weakness.PATTERN if _is_pattern(password) else None


@cache
def common() -> frozenset[str]:
    """What people choose most, in its plain form: the 30,000 of zxcvbn, words of the field and some in pinyin."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # takes a while, and only whoever chooses a password needs it

    lines = files("ingest_service.people").joinpath("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    ours = (word for line in lines if not line.startswith("#") for word in line.split())
    published = (_letters(word) for word in FREQUENCY_LISTS["passwords"])
    return frozenset((*ours, *(word for word in published if len(word) >= LEAST_LISTED)))


def normalised(password: str) -> str:
    """The one form of a password that is hashed, however a keyboard composed its characters (NFC)."""
    return unicodedata.normalize("NFC", password)


def _core(password: str) -> str:
    """Without the digits and marks that are hung on a word, and with figures read as the letters they stand for."""
    plain = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password.casefold())
    return re.sub(r"[\W_]", "", plain.translate(_PLAIN_FORMS)) or password.casefold()


def _letters(password: str) -> str:
    return re.sub(r"[\W_]", "", password.casefold())


def _is_pattern(password: str) -> bool:
    """Few characters, one piece again and again, or mostly neighbours on a row."""
    plain = password.casefold()
    if len(set(plain)) < LEAST_DIFFERENT or re.fullmatch(r"(.{1,6})\1+.{0,3}", plain):
        return True
    return len(_without_runs(plain)) < LEAST_DIFFERENT


def _without_runs(plain: str) -> str:
    """What is left of a password when its runs of neighbours are taken out."""
    for row in _ROWS:
        for line in (row, row[::-1]):
            for start in range(len(line) - RUN + 1):
                for end in range(len(line), start + RUN - 1, -1):
                    plain = plain.replace(line[start:end], "")
    return plain
