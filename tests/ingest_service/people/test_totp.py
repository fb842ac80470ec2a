"""One-time codes: the vectors of RFC 6238 appendix B, the clock that is off, and the code that was used."""

import pytest

from ingest_service.people.totp import address, code_at, matching_step, secret_of, step_of, text

SECRET = b"12345678901234567890"
NOW_MS = 1_111_111_109_000


@pytest.mark.parametrize(
    ("at_s", "code"),
    [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ],
)
def test_the_codes_are_those_of_the_standard(at_s: int, code: str) -> None:
    assert code_at(SECRET, at_s * 1000, digits=8) == code


@pytest.mark.parametrize("off_s", [-30, 0, 30])
def test_a_clock_that_is_off_by_one_step_is_borne_with(off_s: int) -> None:
    code = code_at(SECRET, NOW_MS + off_s * 1000)
    assert matching_step(SECRET, code, NOW_MS, 0) == step_of(NOW_MS + off_s * 1000)


def test_a_code_of_two_steps_ago_is_wrong() -> None:
    assert matching_step(SECRET, code_at(SECRET, NOW_MS - 61_000), NOW_MS, 0) is None


def test_a_code_that_was_used_is_wrong() -> None:
    code = code_at(SECRET, NOW_MS)
    assert matching_step(SECRET, code, NOW_MS, step_of(NOW_MS)) is None


def test_an_app_is_told_the_secret_as_text() -> None:
    assert text(SECRET) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert secret_of(text(SECRET)) == SECRET
    told = address(SECRET, "li min", "Clearstack")
    assert told.startswith("otpauth://totp/Clearstack%3Ali%20min?secret=GEZDGNBVGY3TQOJQ")
    assert "issuer=Clearstack" in told
