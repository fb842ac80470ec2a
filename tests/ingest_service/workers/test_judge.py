import msgspec
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from edge_agent.wire.durations import HOUR_MS
from ingest_service.alarms.facts import ExceedanceFacts
from ingest_service.alarms.messages import Medium
from ingest_service.alarms.vocabulary import Kind, Locale, State, Step
from ingest_service.emissions.limits import Verdict
from ingest_service.emissions.rulepack import Pollutant
from ingest_service.errors import StoreError
from ingest_service.store.alarms import Answer
from ingest_service.store.judged_tables import Judgement
from ingest_service.store.tables import Furnace, Source
from ingest_service.store.transaction import transaction
from tests.ingest_service.workers.city import IDLE, MINUTE, START, City
from tests.support.told import told_of

HIGH_HCL = {"hcl": 40.0}  # 50 at reference oxygen; the limit is 30
GASES_AND_DUST = [pollutant for pollutant in Pollutant if pollutant.is_concentration]
FAR_LATER = START + 30 * HOUR_MS


class Judged(msgspec.Struct, frozen=True):
    """A judgement as a test reads it."""

    hour: int
    revision: int
    verdict: str
    cause: str
    mean: float | None
    valid_minutes: int
    revision_reason: str


def judged(city: City, pollutant: Pollutant = Pollutant.HCL, furnace: int = 1) -> list[Judged]:
    query = select(Judgement).where(Judgement.pollutant == pollutant, Judgement.furnace_id == furnace)
    with transaction(city.engine) as session:
        rows = session.scalars(query.order_by(Judgement.start_ms, Judgement.revision)).all()
        return [
            Judged(
                (row.start_ms - START) // HOUR_MS,
                row.revision,
                row.verdict,
                row.cause,
                None if row.mean is None else round(row.mean, 6),
                row.valid_minutes,
                row.revision_reason,
            )
            for row in rows
        ]


def live(city: City, from_ms: int, to_ms: int, changes: dict[str, float] | None = None) -> None:
    """Half an hour at a time: feed, average, judge, as it happens."""
    for at_ms in range(from_ms, to_ms, HOUR_MS // 2):
        city.feed(1, at_ms, at_ms + HOUR_MS // 2, changes or {}, wobble=0.1)
        city.average.step(at_ms + HOUR_MS // 2 + 6_000)
        city.judge.step(at_ms + HOUR_MS // 2 + 8_000)


def pass_time(city: City, until_ms: int) -> None:
    """The workers' steps around the end of an hour."""
    for at_ms in (until_ms + 6_000, until_ms + 20_000, until_ms + 40_000, until_ms + 80_000):
        city.average.step(at_ms)
        city.judge.step(at_ms)


def test_a_full_hour_is_judged_once_it_is_over(city: City) -> None:
    city.judge.step(START)
    live(city, START, START + HOUR_MS)
    assert judged(city) == []
    pass_time(city, START + HOUR_MS)
    (row,) = judged(city)
    assert (row.verdict, row.valid_minutes, row.revision, row.cause) == ("within", 60, 0, "")
    assert row.mean == pytest.approx(10.1, rel=0.01)


def test_every_limit_is_judged_by_its_own_figures(city: City) -> None:
    city.feed(1, START, START + HOUR_MS)
    city.settle(FAR_LATER)
    means = {pollutant: judged(city, pollutant)[0].mean for pollutant in GASES_AND_DUST}
    assert means == {
        Pollutant.CO: 50.0,
        Pollutant.SO2: 10.0,
        Pollutant.NOX: 100.0,
        Pollutant.HCL: 10.0,
        Pollutant.DUST: 5.0,
    }


def test_an_hour_in_which_nothing_came_is_judged_invalid_by_the_clock(city: City) -> None:
    city.judge.step(START)
    city.judge.step(START + HOUR_MS + 10_000)
    assert judged(city) == []
    city.judge.step(START + HOUR_MS + 40_000)
    assert [(row.verdict, row.cause) for row in judged(city)] == [("invalid", "missing_values")]


def test_an_idle_hour_is_not_judged(city: City) -> None:
    city.feed(1, START, START + HOUR_MS, {"phase": IDLE, "flue_o2": 20.9})
    city.settle(FAR_LATER)
    row = judged(city)[0]
    assert (row.verdict, row.cause, row.mean) == ("not_judged", "not_operating", None)


def test_judging_again_writes_nothing(city: City) -> None:
    city.feed(1, START, START + 2 * HOUR_MS, HIGH_HCL)
    city.settle(FAR_LATER)
    before = judged(city)
    city.restart()
    city.settle(FAR_LATER + HOUR_MS // 2)
    assert judged(city) == before
    assert [row.verdict for row in before][:2] == ["exceeded", "exceeded"]


def test_late_data_that_change_a_mean_are_a_revision_with_its_reason(city: City) -> None:
    city.feed(1, START, START + HOUR_MS)
    city.settle(START + 2 * HOUR_MS)
    city.feed(1, START + 5_000, START + HOUR_MS // 2, HIGH_HCL)
    city.settle(START + 3 * HOUR_MS)
    first, second = judged(city)[:2]
    assert (first.revision, first.mean, first.revision_reason) == (0, 10.0, "")
    assert (second.hour, second.revision, second.revision_reason) == (0, 1, "late_data")
    assert second.mean == pytest.approx(20.0, rel=0.01)


def test_late_data_that_change_nothing_are_no_revision(city: City) -> None:
    city.feed(1, START, START + HOUR_MS)
    city.settle(START + 2 * HOUR_MS)
    city.feed(1, START + 5_000, START + HOUR_MS // 2)
    city.settle(START + 3 * HOUR_MS)
    assert [row.revision for row in judged(city) if row.hour == 0] == [0]


def test_hours_over_the_limit_in_a_row_are_one_exceedance(city: City) -> None:
    city.feed(1, START, START + HOUR_MS)
    city.feed(1, START + HOUR_MS, START + 2 * HOUR_MS, HIGH_HCL)
    city.feed(1, START + 2 * HOUR_MS, START + 3 * HOUR_MS, {"hcl": 48.0})
    city.feed(1, START + 3 * HOUR_MS, START + 4 * HOUR_MS)
    city.settle(FAR_LATER)
    (found,) = city.judgements.exceedances(START)
    assert (found.start_ms, found.end_ms) == (START + HOUR_MS, START + 3 * HOUR_MS)
    assert found.mean == pytest.approx(60.0, rel=1e-3)
    assert found.peak == pytest.approx(60.0)
    assert (found.pollutant, found.limit, found.furnace_id, found.rule) == (
        Pollutant.HCL,
        30.0,
        1,
        "gb13801-2015-table2@1",
    )


def test_late_data_that_close_a_gap_join_two_exceedances(city: City) -> None:
    city.feed(1, START, START + HOUR_MS, HIGH_HCL)
    city.feed(1, START + 2 * HOUR_MS, START + 3 * HOUR_MS, HIGH_HCL)
    city.settle(FAR_LATER)
    assert len(city.judgements.exceedances(START)) == 2
    city.feed(1, START + HOUR_MS, START + 2 * HOUR_MS, HIGH_HCL)
    city.settle(FAR_LATER + HOUR_MS // 2)
    (joined,) = city.judgements.exceedances(START)
    assert (joined.start_ms, joined.end_ms, joined.revision) == (START, START + 3 * HOUR_MS, 1)


def test_late_data_that_undo_an_exceedance_remove_it_and_keep_the_revisions(city: City) -> None:
    city.feed(1, START, START + HOUR_MS, HIGH_HCL)
    city.settle(START + 2 * HOUR_MS)
    assert len(city.judgements.exceedances(START)) == 1
    city.feed(1, START + 1, START + HOUR_MS, {"hcl": 1.0}, every_ms=2_000)
    city.settle(START + 3 * HOUR_MS)
    assert city.judgements.exceedances(START) == ()
    assert [row.verdict for row in judged(city) if row.hour == 0] == ["exceeded", "within"]


def test_a_live_exceedance_calls_people_and_stays_until_it_is_acknowledged(city: City) -> None:
    city.judge.step(START)
    live(city, START, START + HOUR_MS, HIGH_HCL)
    pass_time(city, START + HOUR_MS)
    (raised,) = city.alarms.open()
    assert (raised.alarm.kind, raised.state) == (Kind.EXCEEDANCE, State.ACTIVE_UNACKNOWLEDGED)
    assert (raised.alarm.raised_at_ms, raised.alarm.noticed_at_ms) == (START, START + HOUR_MS + 20_000)
    assert isinstance(raised.facts, ExceedanceFacts)
    assert raised.facts.mean == pytest.approx(50.0, rel=0.01)
    live(city, START + HOUR_MS, START + 2 * HOUR_MS)
    pass_time(city, START + 2 * HOUR_MS)
    assert city.alarms.open()[0].state is State.ACTIVE_UNACKNOWLEDGED
    answer = city.alarms.acknowledge(raised.id, "Li", "dosing restarted", START + 2 * HOUR_MS + 90_000)
    assert answer.answer is Answer.ACKNOWLEDGED
    city.judge.step(START + 2 * HOUR_MS + 3 * MINUTE)
    assert city.alarms.open() == ()
    (closed,) = city.alarms.closed()
    assert closed.alarm.cleared_at_ms == START + HOUR_MS
    steps = [event.step for event in city.alarms.events(raised.id)]
    assert steps == [Step.RAISED, Step.ACKNOWLEDGED, Step.CLEARED]


def test_an_exceedance_that_goes_on_is_one_alarm(city: City) -> None:
    city.judge.step(START)
    for hour in range(3):
        live(city, START + hour * HOUR_MS, START + (hour + 1) * HOUR_MS, HIGH_HCL)
        pass_time(city, START + (hour + 1) * HOUR_MS)
    (row,) = city.alarms.open()
    assert [event.step for event in city.alarms.events(row.id)] == [Step.RAISED]


def test_a_past_exceedance_is_recorded_finished_and_only_shown_in_the_inbox(city: City) -> None:
    city.feed(1, START, START + HOUR_MS, HIGH_HCL)
    city.feed(1, START + HOUR_MS, START + 2 * HOUR_MS)
    city.settle(FAR_LATER)
    (row,) = city.alarms.open()
    assert row.state is State.CLEARED_UNACKNOWLEDGED
    assert (row.alarm.raised_at_ms, row.alarm.cleared_at_ms) == (START, START + HOUR_MS)
    assert {delivery.receiver.medium for delivery in told_of(city.engine, row.id)} == {Medium.INBOX}
    assert city.deliveries.inbox(Locale.EN)[0].message.text.what.startswith("Qingshan, f1: Hydrogen chloride")


def test_a_restart_raises_nothing_twice(city: City) -> None:
    city.judge.step(START)
    live(city, START, START + HOUR_MS, HIGH_HCL)
    pass_time(city, START + HOUR_MS)
    (raised,) = city.alarms.open()
    city.restart()
    pass_time(city, START + HOUR_MS + 10 * MINUTE)
    assert [row.id for row in city.alarms.open()] == [raised.id]
    city.alarms.acknowledge(raised.id, "Li", "", START + HOUR_MS + 20 * MINUTE)
    live(city, START + HOUR_MS, START + 2 * HOUR_MS)
    pass_time(city, START + 2 * HOUR_MS)
    city.restart()
    pass_time(city, START + 4 * HOUR_MS)
    assert city.alarms.open() == ()
    assert len(city.alarms.closed()) == 1


def test_what_a_crash_left_between_judgement_and_alarm_is_alarmed_after_the_restart(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.feed(1, START, START + HOUR_MS, HIGH_HCL)

    def refuse(_observations: object, _now_ms: int) -> None:
        raise StoreError("power failed")

    city.average.step(START + 3 * HOUR_MS)
    monkeypatch.setattr(city.alarms, "settle", refuse)
    with pytest.raises(StoreError):
        city.judge.step(START + 3 * HOUR_MS + 20_000)
    assert len(city.judgements.exceedances(START)) == 1
    city.restart()
    city.judge.step(START + 3 * HOUR_MS + 120_000)
    assert len(city.alarms.open()) == 1


def test_hours_that_a_crash_left_unjudged_are_judged_after_the_restart(city: City) -> None:
    city.feed(1, START, START + HOUR_MS)
    city.average.step(START + 90 * MINUTE)
    city.restart()
    city.judge.step(START + 100 * MINUTE)
    assert [row.verdict for row in judged(city)] == ["within"]


def test_hours_without_data_while_the_service_was_away_are_judged_when_edges_had_time_to_send(city: City) -> None:
    city.feed(1, START, START + 57 * MINUTE)
    city.settle(START + 65 * MINUTE)
    city.restart()
    city.judge.step(START + 4 * HOUR_MS)
    assert [row.hour for row in judged(city)] == [0]
    city.judge.step(START + 4 * HOUR_MS + 3 * MINUTE)
    assert [(row.hour, row.verdict) for row in judged(city)][1:] == [(1, "invalid"), (2, "invalid"), (3, "invalid")]


def test_hours_that_could_not_be_written_are_tried_again(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    city.feed(1, START, START + HOUR_MS)
    city.average.step(FAR_LATER)
    record = city.judgements.record

    def refuse(_judged: object, _now_ms: int, _reason: str) -> None:
        raise StoreError("disk full")

    monkeypatch.setattr(city.judgements, "record", refuse)
    with pytest.raises(StoreError, match="disk full"):
        city.judge.step(FAR_LATER + 20_000)
    monkeypatch.setattr(city.judgements, "record", record)
    city.judge.step(FAR_LATER + 22_000)
    assert [row.verdict for row in judged(city) if row.hour == 0] == ["within"]


def test_the_running_hour_is_previewed_against_its_limits(city: City) -> None:
    city.feed(1, START, START + 20 * MINUTE, HIGH_HCL)
    city.average.step(START + 20 * MINUTE + 6_000)
    city.judge.step(START + 20 * MINUTE + 8_000)
    previews = {preview.pollutant: preview for preview in city.judge.previews() if preview.furnace_id == 1}
    assert set(previews) == set(GASES_AND_DUST)
    hcl = previews[Pollutant.HCL]
    assert (hcl.start_ms, hcl.until_ms) == (START, START + 20 * MINUTE)
    assert hcl.mean == hcl.peak == pytest.approx(50.0)
    assert hcl.limit == 30.0
    assert (hcl.valid_minutes, hcl.valid_minutes_needed, hcl.cause) == (20, 45, "")
    assert judged(city) == []


def test_a_preview_without_a_valid_minute_says_why(city: City) -> None:
    city.feed(1, START, START + 20 * MINUTE, {"flue_o2": 20.8})
    city.average.step(START + 20 * MINUTE + 6_000)
    city.judge.step(START + 20 * MINUTE + 8_000)
    preview = next(one for one in city.judge.previews() if one.furnace_id == 1)
    assert (preview.mean, preview.valid_minutes) == (None, 0)
    assert preview.cause in ("o2_too_high", "missing_values")


def test_verdicts_are_stored_by_their_labels() -> None:
    assert [verdict.label for verdict in Verdict] == ["within", "exceeded", "invalid", "not_judged"]


def rename(city: City, furnace: int) -> None:
    """Its device says another furnace's name from now on; nothing measures the old one any more."""
    with Session(city.engine) as session, session.begin():
        session.add(Furnace(id=90, home_id="h1", name="renamed"))
        session.flush()
        session.execute(update(Source).where(Source.furnace_id == furnace).values(furnace_id=90))


@pytest.mark.parametrize("restarted", [False, True])
def test_a_furnace_that_goes_by_another_name_keeps_its_verdicts_and_its_alarm_ends(city: City, restarted: bool) -> None:
    city.judge.step(START)
    live(city, START, START + HOUR_MS, HIGH_HCL)
    pass_time(city, START + HOUR_MS)
    before = judged(city)
    assert [row.verdict for row in before] == ["exceeded"]
    (raised,) = city.alarms.open()
    city.alarms.acknowledge(raised.id, "王建国", "", START + HOUR_MS + 85_000)
    rename(city, 1)
    city.judge.marked(1, START, START + HOUR_MS, START + HOUR_MS + 90_000)
    if restarted:
        city.restart()
    pass_time(city, START + HOUR_MS + 5 * MINUTE)
    city.judge.step(START + HOUR_MS + 10 * MINUTE)
    assert judged(city) == before
    assert not city.judge.awaits(1, START, START + HOUR_MS)
    ended = city.alarms.get(raised.id)
    assert ended is not None
    assert ended.state is State.CLOSED
