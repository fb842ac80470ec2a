"""Which passwords are refused and which are taken; what is kept of them."""

import pytest

from ingest_service.people.hashing import fits, hash_password, hash_token, is_outdated, new_password, new_token
from ingest_service.people.passwords import MOST_LENGTH, Weakness, common, weakness


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("kurz und", Weakness.SHORT),
        ("x" * (MOST_LENGTH + 1), Weakness.LONG),
        ("password12", Weakness.COMMON),
        ("P@ssw0rd!!", Weakness.COMMON),
        ("Welcome2026", Weakness.COMMON),
        ("11woaini1314", Weakness.COMMON),
        ("--Clearstack1--", Weakness.COMMON),
        ("limin20261", Weakness.NAME),
        ("Beishan-2026", Weakness.NAME),
        ("1234567890", Weakness.COMMON),
        ("qwertyuiop12", Weakness.COMMON),
        ("567890lkjhgfds", Weakness.PATTERN),
        ("abcdabcdabcd", Weakness.PATTERN),
        ("aaaaaaaabb", Weakness.PATTERN),
        ("1qaz2wsx3edc", Weakness.COMMON),
        ("Broncos-1988", Weakness.COMMON),
        ("trustno1!!!", Weakness.COMMON),
        ("12qwaszx3456", Weakness.COMMON),
    ],
)
def test_a_password_that_many_would_try_is_refused(password: str, why: Weakness) -> None:
    assert weakness(password, "limin", "Beishan") is why


@pytest.mark.parametrize(
    "password",
    [
        "correct horse in the stack",
        "窑炉里的第七只白鹭飞",
        "k7-Rm.93qPz1",
        "lime feeder refilled twice",
        "limin walks home at ten",
    ],
)
def test_a_password_of_ones_own_is_taken(password: str) -> None:
    assert weakness(password, "limin", "Beishan") is None


def test_passwords_that_we_make_are_taken_and_never_the_same() -> None:
    made = {new_password() for _ in range(50)}
    assert len(made) == 50
    assert all(weakness(password, "admin", "Clearstack") is None for password in made)


def test_the_words_are_in_the_form_that_they_are_looked_up_in() -> None:
    assert len(common()) > 29_000
    assert all(word == word.casefold() and word.isalnum() for word in common())


def test_only_the_password_itself_fits_its_hash() -> None:
    kept = hash_password("lime feeder refilled")
    assert kept.startswith("$argon2id$")
    assert fits(kept, "lime feeder refilled")
    assert not fits(kept, "lime feeder refilled ")
    assert not fits("", "lime feeder refilled")
    assert not fits("no hash", "lime feeder refilled")
    assert not is_outdated(kept)


def test_a_character_that_a_keyboard_composes_otherwise_is_the_same() -> None:
    assert fits(hash_password("Cafe\u0301 am Ofen"), "Caf\u00e9 am Ofen")


def test_a_hash_of_other_costs_is_outdated() -> None:
    assert is_outdated("$argon2id$v=19$m=8192,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA")


def test_a_token_has_256_bits_and_its_hash_tells_nothing_of_it() -> None:
    token = new_token()
    assert len(token) >= 43
    assert token not in hash_token(token)
    assert hash_token(token) != hash_token(new_token())
