"""Seals: what they open to, for whom, and under which key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.people.sealing import KeyMissing, Sealer, is_sealed, keys_in, new_key

OLD, NEW = b"o" * 32, b"n" * 32


@given(secret=st.binary(max_size=64), owner=st.text(max_size=20))
def test_a_seal_opens_to_what_was_sealed_and_shows_nothing_of_it(secret: bytes, owner: str) -> None:
    sealed = Sealer([OLD]).seal(secret, owner)
    assert Sealer([OLD]).open(sealed, owner) == secret
    assert is_sealed(sealed)
    assert len(secret) < 8 or secret.hex() not in sealed
    assert len(sealed) <= 200, "it fits its column"


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    assert Sealer([OLD]).seal(b"seed", "li") != Sealer([OLD]).seal(b"seed", "li")


def test_the_first_key_seals_and_each_opens() -> None:
    before, both = Sealer([OLD]), Sealer([NEW, OLD])
    sealed = before.seal(b"seed", "li")
    assert (both.open(sealed, "li"), both.is_newest(sealed)) == (b"seed", False)
    anew = both.seal(b"seed", "li")
    assert (Sealer([NEW]).open(anew, "li"), both.is_newest(anew)) == (b"seed", True)


def test_a_seal_in_the_row_of_somebody_else_opens_to_nothing() -> None:
    with pytest.raises(KeyMissing, match="belongs to somebody else"):
        Sealer([OLD]).open(Sealer([OLD]).seal(b"seed", "li"), "wang")


def test_without_its_key_a_seal_opens_to_nothing() -> None:
    sealed = Sealer([OLD]).seal(b"seed", "li")
    for keys in ([NEW], []):
        with pytest.raises(KeyMissing, match="is not there"):
            Sealer(keys).open(sealed, "li")
    with pytest.raises(KeyMissing, match="no key to seal with"):
        Sealer().seal(b"seed", "li")


def test_a_seal_that_was_changed_opens_to_nothing() -> None:
    sealed = Sealer([OLD]).seal(b"seed", "li")
    last = "B" if sealed[-6] == "A" else "A"
    for changed in (f"{sealed[:-6]}{last}{sealed[-5:]}", sealed[:-4], f"{sealed}%", sealed[:20]):
        with pytest.raises(KeyMissing, match="does not open it"):
            Sealer([OLD]).open(changed, "li")


def test_what_was_never_sealed_is_not_told_in_the_refusal() -> None:
    with pytest.raises(KeyMissing) as refused:
        Sealer([OLD]).open("7365656473656564", "li")
    assert "7365" not in str(refused.value)


def test_a_text_holds_one_key_a_line_the_newest_first() -> None:
    first, second = new_key(), new_key()
    both = keys_in(f"{first}\n{second}\n")
    assert both == (*keys_in(first), *keys_in(second))
    assert {len(key) for key in both} == {32}


@pytest.mark.parametrize("text", ["", "\n", "short", "AAAA", f"{'A' * 43}=x", f"{'A' * 43}= word"])
def test_a_text_that_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        keys_in(text)
