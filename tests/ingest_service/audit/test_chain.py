"""The chain finds every change of a trail, whatever it is and wherever."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_service.audit.chain import START, Damage, Fault, Head, Record, canonical, faults, sealed
from ingest_service.audit.entry import MOST_CHARACTERS, Entry, fit_to_keep, state_text

few = settings(max_examples=40, deadline=None)
texts = st.text('a李\\"[,\n', max_size=4)
entries = st.builds(
    Entry,
    at_ms=st.integers(0, 2**62),
    **dict.fromkeys(("who", "address", "action", "subject", "home", "before", "after", "why"), texts),
)


def chained(said: list[Entry]) -> list[Record]:
    """The entries as a trail."""
    trail: list[Record] = []
    for entry in said:
        trail.append(sealed(entry, trail[-1].head if trail else START))
    return trail


trails = st.lists(entries, min_size=2, max_size=5).map(chained)


def example(count: int = 5) -> list[Record]:
    """A trail of that many acknowledgements."""
    return chained(
        [
            Entry(at_ms=at, who="li", address="10.0.0.7", action="alarm_acknowledged", subject=f"alarm {at}")
            for at in range(count)
        ]
    )


@few
@given(trails, st.data())
def test_what_was_written_is_sound_and_any_earlier_end_is_recognised(trail: list[Record], data: st.DataObject) -> None:
    assert list(faults(trail, [trail[-1].head, data.draw(st.sampled_from(trail)).head])) == []


@few
@given(trails, st.data())
def test_any_change_of_any_field_is_found(trail: list[Record], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(trail) - 1))
    entry = trail[at].entry
    field = data.draw(st.sampled_from(Entry.__struct_fields__))
    other = data.draw(
        (st.integers(0, 2**62) if field == "at_ms" else texts).filter(lambda v: v != getattr(entry, field))
    )
    changed = msgspec.structs.replace(trail[at], entry=msgspec.structs.replace(entry, **{field: other}))
    assert Fault(Damage.CHANGED, at + 1) in list(faults([*trail[:at], changed, *trail[at + 1 :]]))


@few
@given(trails, st.data())
def test_any_change_of_a_hash_is_found(trail: list[Record], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(trail) - 1))
    field = data.draw(st.sampled_from(["previous", "digest"]))
    changed = msgspec.structs.replace(trail[at], **{field: "0" * 64})
    assert list(faults([*trail[:at], changed, *trail[at + 1 :]]))


@few
@given(trails, st.data())
def test_a_record_that_was_changed_and_hashed_anew_is_found_where_the_next_one_or_the_known_end_disagrees(
    trail: list[Record], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(trail) - 1))
    entry = msgspec.structs.replace(trail[at].entry, who=trail[at].entry.who + "!")
    forged = sealed(entry, Head(at, trail[at].previous))
    found = list(faults([*trail[:at], forged, *trail[at + 1 :]], [trail[-1].head]))
    last = at == len(trail) - 1
    assert found == [Fault(Damage.REWRITTEN, at + 1) if last else Fault(Damage.MOVED, at + 2)]


@few
@given(trails, st.data())
def test_any_missing_record_is_found_at_its_place(trail: list[Record], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(trail) - 1))
    found = list(faults([*trail[:at], *trail[at + 1 :]], [trail[-1].head]))
    damage = Damage.CUT_OFF if at == len(trail) - 1 else Damage.MISSING
    assert found == [Fault(damage, at + 1, at + 1)]


@few
@given(trails, st.data())
def test_any_two_records_that_changed_places_are_found(trail: list[Record], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(trail) - 2))
    other = data.draw(st.integers(at + 1, len(trail) - 1))
    trail[at], trail[other] = trail[other], trail[at]
    assert list(faults(trail, [Head(len(trail), max(trail, key=lambda one: one.number).digest)]))


@few
@given(trails, st.data())
def test_contents_that_changed_places_under_the_same_numbers_are_found(
    trail: list[Record], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(trail) - 2))
    other = data.draw(st.integers(at + 1, len(trail) - 1))
    first, second = trail[at], trail[other]
    trail[at] = msgspec.structs.replace(second, number=first.number)
    trail[other] = msgspec.structs.replace(first, number=second.number)
    assert {fault.number for fault in faults(trail)} >= {at + 1, other + 1}


@few
@given(trails, entries, st.data())
def test_a_record_that_was_put_in_is_found(trail: list[Record], entry: Entry, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(trail) - 2))
    put_in = sealed(entry, trail[at].head)
    assert list(faults([*trail[: at + 1], put_in, *trail[at + 1 :]], [trail[-1].head]))


@pytest.mark.parametrize(
    ("kept", "found"),
    [
        (0, [Fault(Damage.CUT_OFF, 1, 5)]),
        (3, [Fault(Damage.CUT_OFF, 4, 5)]),
        (5, []),
    ],
)
def test_a_trail_that_was_cut_off_says_from_where(kept: int, found: list[Fault]) -> None:
    assert list(faults(example()[:kept], [example()[-1].head])) == found


def test_records_beyond_the_known_end_are_no_fault() -> None:
    assert list(faults(example(), [example()[2].head])) == []


def test_a_whole_trail_that_was_written_anew_is_found_by_a_known_end() -> None:
    forged = chained([msgspec.structs.replace(record.entry, who="wang") for record in example()])
    assert list(faults(forged, [example()[-1].head])) == [Fault(Damage.REWRITTEN, 5)]


def test_the_hash_of_a_record_never_changes() -> None:
    """Trails of every release must stay provable: bytes and hash were computed once and written down."""
    entry = Entry(
        at_ms=1, who="李", address="::1", action="granted", subject="s", home="h", before="b", after="a", why="w"
    )
    assert canonical(1, entry, "00") == '[1,1,"00",1,"李","::1","granted","s","h","b","a","w"]'.encode()
    assert START.digest == "1088d7d5452c0c897a715583a2aedb77891393dec7c0731ff71d0617f5416109"
    assert sealed(entry, START).digest == "d5780e5f676106ef333adb53bff4454a4b69ddbc082afab6ba20a68331b0fbb9"


@few
@given(st.text(max_size=20))
def test_whatever_was_typed_can_be_kept_and_hashed(typed: str) -> None:
    entry = fit_to_keep(Entry(at_ms=1, who=typed, address="", action="", subject=""))
    assert "\0" not in entry.who
    assert canonical(1, entry, "")


def test_an_endless_reason_is_cut() -> None:
    entry = fit_to_keep(Entry(at_ms=1, who="", address="", action="", subject="", why="x" * 10_000))
    assert (len(entry.why), entry.why[-1]) == (MOST_CHARACTERS, "…")


def test_a_state_is_json_in_a_fixed_order() -> None:
    assert state_text({"b": 1, "a": None}) == '{"a":null,"b":1}'
    assert state_text(None) == ""
