from pathlib import Path

import msgspec
import pytest

from ingest_service.demo.history import written_samples
from ingest_service.demo.summary import Summary
from ingest_service.errors import ServiceError

SUMMARY = Summary(
    samples_read=9_800, samples_stored=720_000, samples_acknowledged=720_000, samples_lost=0, furnaces=7, exceedances=1,
    alarms=2, webhooks=4, first_value_s=24.9, history_hours=35, history_samples=710_254,
)  # fmt: skip


def test_the_summary_says_in_a_line_what_was_shown() -> None:
    assert SUMMARY.sentence() == (
        "shown: 7 furnaces with 35 h of history (710,254 samples) and 9,800 samples read live, none lost; "
        "1 exceedance, 2 alarms"
    )


def test_a_loss_is_said_loudly() -> None:
    assert "1,200 LOST" in msgspec.structs.replace(SUMMARY, samples_lost=1200).sentence()


def test_the_history_counts_what_the_simulator_says_it_wrote(tmp_path: Path) -> None:
    log = tmp_path / "history.log"
    log.write_text("4202 blocks with 710254 samples in donghu.outbox\n")
    assert written_samples(log) == 710_254


def test_a_history_that_was_not_counted_ends_the_demo(tmp_path: Path) -> None:
    log = tmp_path / "history.log"
    log.write_text("nothing\n")
    with pytest.raises(ServiceError, match=r"history\.log does not say"):
        written_samples(log)
