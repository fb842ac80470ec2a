"""Gap records of edges, a centre that was restored from an old copy, and stores that are durable only after a while."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from edge_agent.wire.birth import AcknowledgedRange, Birth, command_aliases, encode_birth
from edge_agent.wire.command import decode_command
from edge_agent.wire.gap import FIRST_GAP_BLOCK, Gap, GapReason, NumberedGap, encode_gap
from edge_agent.wire.sample import Sample
from edge_agent.wire.topic import MessageType
from ingest_service.errors import StoreError
from ingest_service.intake.arrivals import Arrival
from ingest_service.intake.read_ahead import Packet
from ingest_service.store.embedded import EmbeddedStore
from ingest_service.store.gaps import KnownGap, gaps_between
from ingest_service.store.overview import Reader, Scope
from ingest_service.workers.losses import without
from tests.ingest_service.workers.centre import Centre, co
from tests.ingest_service.workers.edges import BLOCK_ALIAS, EPOCH, NOW_MS, SpeakingEdge, Spoken

GAP_ALIAS = 4095
STOPPED = Gap("plc", NOW_MS - 60_000, NOW_MS - 1, 0, GapReason.AGENT_STOPPED)
DROPPED = Gap("plc", NOW_MS, NOW_MS + 3_000, 4, GapReason.SIZE_LIMIT, (), EPOCH, 1, 4)


NODE = Birth(channels=(), bd_seq=0, epoch=EPOCH, block_alias=BLOCK_ALIAS, gap_alias=GAP_ALIAS)


class TellingEdge(SpeakingEdge):
    """Tells gaps, and which of its blocks were acknowledged."""

    def born(self, *acknowledged: AcknowledgedRange) -> list[Arrival]:
        self._seq = 0
        node = msgspec.structs.replace(NODE, acknowledged=acknowledged)
        return [self._arrival(MessageType.NBIRTH, encode_birth(node, 0, self.at_ms)), self.device_birth()]

    def gap(self, gap: Gap, number: int = FIRST_GAP_BLOCK + 1) -> Arrival:
        payload = encode_gap(
            NumberedGap(number, gap),
            seq=self._next_seq(),
            sent_at_ms=self.at_ms,
            block_alias=BLOCK_ALIAS,
            gap_alias=GAP_ALIAS,
        )
        return self._arrival(MessageType.NDATA, payload)


class ListeningEdge(Spoken):
    """Understands commands by the aliases of its birth."""

    def publish(self, packets: Sequence[Packet]) -> None:
        self.commands += [(topic, decode_command(payload, command_aliases(NODE))) for topic, payload in packets]


class OneHome(Centre):
    """A centre whose edge has channels on its device alone."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.spoken = ListeningEdge()
        self.worker = self.new_worker()

    def series(self, channel: str, home: str = "east") -> int:
        (found,) = [source.series[channel] for source in self.registry.sources() if source.device]
        return found


class SlowlyDurable(EmbeddedStore):
    """Real, but says that what it wrote may be lost for two seconds; and loses it where the test says so."""

    hold_s = 2.0
    lost = False

    def confirm(self) -> None:
        if self.lost:
            raise StoreError("the server was started anew")


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    centre = OneHome(tmp_path)
    yield centre
    centre.close()


def gaps(centre: Centre) -> list[KnownGap]:
    return gaps_between(Reader(centre.engine, Scope()), 0, 2**53)


def acknowledged_gaps(centre: Centre) -> list[int]:
    return [last - FIRST_GAP_BLOCK for _, last in centre.spoken.acknowledged if last >= FIRST_GAP_BLOCK]


def values(*after_s: int) -> list[Sample]:
    return [co(second * 1000, float(second)) for second in after_s]


def span(first: int, last: int) -> AcknowledgedRange:
    """Block n holds what was measured n seconds after NOW_MS."""
    return AcknowledgedRange(first, last, NOW_MS + first * 1000, NOW_MS + last * 1000)


def test_a_gap_record_is_kept_and_then_acknowledged(centre: Centre) -> None:
    edge = TellingEdge()
    centre.hear(*edge.born(), edge.gap(STOPPED))
    (found,) = gaps(centre)
    assert (found.device, found.from_ms, found.to_ms) == ("plc", STOPPED.from_ms, STOPPED.to_ms)
    assert (found.reason, found.received_at_ms) == (GapReason.AGENT_STOPPED, NOW_MS)
    assert acknowledged_gaps(centre) == [1]
    counters = centre.worker.counters()
    assert (counters.gaps_recorded, counters.samples_received, counters.samples_rejected) == (1, 0, {})


def test_a_gap_record_that_comes_again_is_kept_once_and_acknowledged_again(centre: Centre) -> None:
    edge = TellingEdge()
    centre.hear(*edge.born(), edge.gap(STOPPED))
    centre.now_ms += 1000
    centre.hear(edge.gap(STOPPED))
    assert len(gaps(centre)) == 1
    assert acknowledged_gaps(centre) == [1, 1]
    assert centre.worker.counters().gaps_recorded == 1


@pytest.mark.parametrize(("held", "kept"), [((1, 2, 3, 4), 0), ((1, 2, 4), 1)])
def test_blocks_that_reached_us_though_their_edge_took_them_for_lost_are_no_gap(
    centre: Centre, held: Sequence[int], kept: int
) -> None:
    edge = TellingEdge()
    centre.hear(*edge.born(), *(edge.data(block, values(block)) for block in held))
    centre.hear(edge.gap(DROPPED))
    assert len(gaps(centre)) == kept
    centre.after(300)
    assert acknowledged_gaps(centre) == [1]


def test_a_gap_record_that_makes_no_sense_is_refused_and_does_not_come_for_ever(centre: Centre) -> None:
    edge = TellingEdge()
    backwards = Gap("plc", NOW_MS, NOW_MS - 5, 0, GapReason.OVERRUN)
    centre.hear(*edge.born(), edge.gap(backwards), edge.data(1, values(1)))
    assert gaps(centre) == []
    assert acknowledged_gaps(centre) == [1]
    assert centre.worker.counters().messages_rejected == {"garbage_payload": 1}
    assert centre.stored() == [(1000, 1.0)]


def test_a_gap_record_that_cannot_be_kept_is_not_acknowledged_until_it_can(centre: Centre) -> None:
    edge = TellingEdge()
    with centre.engine.begin() as connection:
        connection.execute(text("ALTER TABLE gap_record RENAME TO gap_record_away"))
    centre.hear(*edge.born(), edge.gap(STOPPED), edge.data(1, values(1)))
    assert acknowledged_gaps(centre) == []
    assert "relational database" in centre.worker.problem
    with centre.engine.begin() as connection:
        connection.execute(text("ALTER TABLE gap_record_away RENAME TO gap_record"))
    centre.now_ms += 10_000
    centre.hear(edge.gap(STOPPED), edge.data(2, values(2)))
    assert (len(gaps(centre)), acknowledged_gaps(centre), centre.worker.problem) == (1, [1], "")


def test_what_an_edge_let_go_and_we_do_not_hold_becomes_a_gap_from_our_newest_sample_on(centre: Centre) -> None:
    edge = TellingEdge()
    centre.hear(*edge.born(), *(edge.data(block, values(block)) for block in (1, 2, 3)))
    centre.hear(*edge.born(span(1, 8)), edge.data(9, values(9)))
    (found,) = gaps(centre)
    assert (found.device, found.reason) == ("plc", GapReason.CENTRE_RESTORED)
    assert (found.from_ms, found.to_ms) == (NOW_MS + 3_001, NOW_MS + 8_000)
    assert centre.stored() == [(1000, 1.0), (2000, 2.0), (3000, 3.0), (9000, 9.0)]
    centre.hear(*edge.born(span(1, 9)))
    assert len(gaps(centre)) == 1
    assert centre.store.held(1, EPOCH) == [(1, 9)]


def test_what_an_edge_let_go_and_we_hold_is_no_gap(centre: Centre) -> None:
    edge = TellingEdge()
    centre.hear(*edge.born(), *(edge.data(block, values(block)) for block in (1, 2, 5)))
    centre.hear(*edge.born(span(1, 2), span(5, 5)))
    assert gaps(centre) == []


def test_of_an_edge_that_is_new_to_us_all_that_it_let_go_is_missing(centre: Centre) -> None:
    edge = TellingEdge()
    centre.hear(edge.born(span(1, 8), span(12, 13))[0])
    assert [(found.device, found.from_ms - NOW_MS, found.to_ms - NOW_MS) for found in gaps(centre)] == [
        ("", 1_000, 8_000),
        ("", 12_000, 13_000),
    ]


def test_where_the_loss_cannot_be_kept_the_edge_is_asked_for_its_births_again(centre: Centre) -> None:
    edge = TellingEdge()
    with centre.engine.begin() as connection:
        connection.execute(text("ALTER TABLE gap_record RENAME TO gap_record_away"))
    centre.hear(*edge.born(span(1, 8)))
    with centre.engine.begin() as connection:
        connection.execute(text("ALTER TABLE gap_record_away RENAME TO gap_record"))
    centre.after(6_000)
    assert centre.spoken.rebirths == ["spBv1.0/east/NCMD/edge-1"]
    assert centre.store.held(1, EPOCH) == []
    centre.hear(*edge.born(span(1, 8)))
    assert len(gaps(centre)) == 1


ends = st.tuples(st.integers(0, 40), st.integers(0, 9)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(ends, st.lists(ends, max_size=6))
def test_a_range_without_others_holds_exactly_the_rest(whole: tuple[int, int], held: list[tuple[int, int]]) -> None:
    apart = {number for first, last in held for number in range(first, last + 1)}
    ascending = sorted((number, number) for number in apart)
    left = [number for first, last in without(whole, ascending) for number in range(first, last + 1)]
    assert left == [number for number in range(whole[0], whole[1] + 1) if number not in apart]


def slow(centre: Centre) -> SlowlyDurable:
    """The same centre with a store that is durable after a while."""
    centre.store.close()
    store = SlowlyDurable(centre.folder)
    centre.store = store
    centre.worker = centre.new_worker()
    return store


def test_a_store_that_is_durable_after_a_while_has_its_blocks_acknowledged_then(centre: Centre) -> None:
    slow(centre)
    edge = TellingEdge()
    centre.hear(*edge.born(), edge.data(1, values(1)))
    centre.after(1_000)
    centre.hear(edge.data(2, values(2)))
    centre.after(900)
    assert centre.spoken.acknowledged == []
    centre.after(100)
    assert centre.spoken.acknowledged == [(1, 1)]
    centre.after(1_000)
    assert centre.spoken.acknowledged == [(1, 1), (2, 2)]


def test_what_such_a_store_lost_meanwhile_is_not_acknowledged(centre: Centre) -> None:
    store = slow(centre)
    edge = TellingEdge()
    centre.hear(*edge.born(), edge.data(1, values(1)))
    store.lost = True
    centre.after(2_000)
    store.lost = False
    centre.after(2_000)
    assert centre.spoken.acknowledged == []
    centre.hear(edge.data(1, values(1), historical=True))
    centre.after(2_000)
    assert centre.spoken.acknowledged == [(1, 1)]


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own, of that size."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
def test_on_a_full_disk_nothing_is_acknowledged_memory_stays_bounded_and_room_is_enough_to_recover(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk", 32) as folder:
        centre = OneHome(tmp_path)
        centre.store.close()
        centre.store = EmbeddedStore(folder / "series")
        centre.worker = centre.new_worker()
        edge = TellingEdge()
        centre.hear(*edge.born(), edge.data(1, values(1)))
        ballast = folder / "ballast"
        with pytest.raises(OSError, match="No space"):
            ballast.write_bytes(b"\0" * 33 * 2**20)
        refused = 0
        for block in range(2, 60):
            centre.now_ms += 300
            centre.hear(edge.data(block, [co(block * 1000 + step, 1.0) for step in range(400)]))
            refused += bool(centre.worker.problem)
        kept = {number for first, last in centre.spoken.acknowledged for number in range(first, last + 1)}
        assert refused > 0
        assert len(centre.queue) == 0
        ballast.unlink()
        for block in sorted(set(range(1, 60)) - kept):
            centre.now_ms += 300
            centre.hear(edge.data(block, [co(block * 1000 + step, 1.0) for step in range(400)], historical=True))
        assert centre.worker.problem == ""
        assert centre.store.held(1, EPOCH) == [(1, 59)]
        assert len(centre.stored()) == 1 + 58 * 400
        centre.close()
