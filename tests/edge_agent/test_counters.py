from edge_agent.counters import PollCounters, total_of


def test_response_and_poll_times_are_told_by_percentile() -> None:
    counters = PollCounters(device="furnace1")
    assert counters.response_ms(95) is counters.poll_ms(95) is None
    counters.response_times_ms.extend(range(1, 101))
    counters.poll_times_ms.extend(range(1, 11))
    assert (counters.response_ms(50), counters.response_ms(95), counters.response_ms(100)) == (51, 96, 100)
    assert (counters.poll_ms(50), counters.poll_ms(95)) == (6, 10)


def test_only_the_last_response_times_count() -> None:
    counters = PollCounters(device="furnace1")
    counters.response_times_ms.extend([9_999] + [5] * 1_000)
    assert counters.response_ms(100) == 5


def test_a_total_sums_every_count() -> None:
    one = PollCounters(device="a", polls=1, reads=2, samples_read=3, samples_reported=4, bad_reads=5, timeouts=6)
    total = total_of([one, one, PollCounters(device="b", skipped_slots=7)])
    assert (total.polls, total.reads, total.samples_read, total.samples_reported) == (2, 4, 6, 8)
    assert (total.bad_reads, total.timeouts, total.skipped_slots) == (10, 12, 7)
