"""Messages of an edge node: topics, order, sequence, births, data, deaths of devices."""

from collections import defaultdict
from itertools import pairwise

import pytest

from edge_agent.wire.metric import DataType
from tests.conformance.edge_story import EDGE, HOME
from tests.conformance.said import BIRTHS, DATA, DBIRTH, DDATA, DDEATH, NBIRTH, SEQUENCED, Line, Said

REBIRTH = "Node Control/Rebirth"
ARRAYS_END = 34  # the last data type of Sparkplug 3.0
OLD_TYPES_END = 26  # the last that hosts without arrays and property lists know
YEAR_2020_MS = 1_577_836_800_000


@pytest.fixture(scope="session")
def said(edge_line: Line) -> list[Said]:
    return edge_line.said()


def birth_sequences(said: list[Said]) -> list[list[Said]]:
    """The messages from each NBIRTH to the next, deaths of the node left out."""
    found: list[list[Said]] = []
    for one in said:
        if one.type is NBIRTH:
            found.append([])
        if one.type in SEQUENCED:
            found[-1].append(one)
    return found


def test_topics_have_the_ids_of_the_site_file(said: list[Said]) -> None:
    assert {(one.topic.group, one.topic.edge) for one in said} == {(HOME, EDGE)}
    devices = {one.topic.device for one in said if one.type.is_device}
    assert devices == {"furnace-1", "furnace-2"}
    assert {one.topic.device for one in said if not one.type.is_device} == {None}


def test_births_data_and_deaths_of_devices_go_out_at_qos_0_and_are_not_retained(said: list[Said]) -> None:
    found = {(one.type, one.qos, one.retain) for one in said if one.type in SEQUENCED}
    assert found == {(kind, 0, False) for kind in SEQUENCED}


def test_seq_begins_at_zero_with_the_birth_of_the_node_and_counts_every_message(said: list[Said]) -> None:
    for sequence in birth_sequences(said):
        assert all(one.payload.HasField("seq") for one in sequence)
        assert [one.payload.seq for one in sequence] == [at % 256 for at in range(len(sequence))]


def test_every_message_says_when_it_was_sent(said: list[Said]) -> None:
    for one in said:
        assert abs(one.payload.timestamp - one.at_ms) < 60_000


def test_devices_are_born_at_once_after_the_node_and_before_any_data(said: list[Said]) -> None:
    for sequence in birth_sequences(said):
        kinds = [one.type for one in sequence]
        assert kinds[:3] == [NBIRTH, DBIRTH, DBIRTH]
        assert {one.topic.device for one in sequence[1:3]} == {"furnace-1", "furnace-2"}
        later = [one.topic.device for one in sequence[3:] if one.type is DBIRTH]
        died = [one.topic.device for one in sequence[3:] if one.type is DDEATH]
        assert later == died  # only a device that died is born again in between


def test_every_metric_of_a_birth_has_name_type_time_and_a_value_or_is_null(said: list[Said]) -> None:
    for one in said:
        for metric in one.payload.metrics if one.type in BIRTHS else ():
            assert metric.name
            assert metric.HasField("datatype")
            assert 1 <= metric.datatype <= OLD_TYPES_END < ARRAYS_END
            assert metric.timestamp > YEAR_2020_MS
            assert metric.is_null != (metric.WhichOneof("value") is not None)


def test_the_birth_of_a_node_offers_the_rebirth(said: list[Said]) -> None:
    for one in said:
        if one.type is NBIRTH:
            rebirth = one.metric(REBIRTH)
            assert rebirth.datatype == DataType.BOOLEAN
            assert rebirth.WhichOneof("value") == "boolean_value"
            assert not rebirth.boolean_value
            assert not rebirth.HasField("alias")


def test_every_metric_of_a_birth_but_the_rebirth_has_an_alias_that_is_unique_in_the_edge(said: list[Said]) -> None:
    for sequence in birth_sequences(said):
        metrics = [metric for one in sequence[:3] for metric in one.payload.metrics if metric.name != REBIRTH]
        assert all(metric.HasField("alias") for metric in metrics)
        aliases = [metric.alias for metric in metrics]
        assert len(set(aliases)) == len(aliases)


def test_data_hold_nothing_that_the_births_before_them_did_not_announce(said: list[Said]) -> None:
    for sequence in birth_sequences(said):
        announced: dict[str | None, set[int]] = {}
        for one in sequence:
            aliases = {metric.alias for metric in one.payload.metrics}
            if one.type in BIRTHS:
                announced[one.topic.device] = aliases
            elif one.type in DATA:
                assert aliases <= announced[one.topic.device]


def test_metrics_of_data_have_alias_and_time_and_neither_name_nor_type(said: list[Said]) -> None:
    for one in said:
        for metric in one.payload.metrics if one.type in DATA else ():
            assert metric.HasField("alias")
            assert metric.timestamp > YEAR_2020_MS
            assert not metric.HasField("name")
            assert not metric.HasField("datatype")


def test_metrics_that_are_not_historical_are_in_order_of_time(said: list[Said]) -> None:
    for one in said:
        times = [metric.timestamp for metric in one.payload.metrics if not metric.is_historical]
        assert times == sorted(times)


def test_history_has_messages_of_its_own(said: list[Said]) -> None:
    flags = [{metric.is_historical for metric in one.payload.metrics} for one in said if one.type in DATA]
    assert {True} in flags
    assert all(len(flag) == 1 for flag in flags)


def test_properties_are_pairs_with_types_and_quality_is_one_of_three_numbers(said: list[Said]) -> None:
    qualities = set()
    for one in said:
        for metric in one.payload.metrics:
            assert len(metric.properties.keys) == len(metric.properties.values)
            for key, value in zip(metric.properties.keys, metric.properties.values, strict=True):
                assert value.HasField("type")
                assert 1 <= value.type <= 14
                assert value.WhichOneof("value") is not None
                if key == "Quality":
                    assert (value.type, value.WhichOneof("value")) == (DataType.INT32, "int_value")
                    qualities.add(value.int_value)
    assert qualities == {0, 500}  # good is not said


def test_births_that_are_asked_for_hold_the_values_of_the_moment(said: list[Said]) -> None:
    latest: dict[int, tuple[int, object]] = {}
    for at, one in enumerate(said):
        for metric in one.payload.metrics if one.type in DATA else ():
            field = metric.WhichOneof("value")
            latest[metric.alias] = (metric.timestamp, getattr(metric, field) if field else None)
        if one.type is DBIRTH and one.connection == 1 and at > 3:
            known = [metric for metric in one.payload.metrics if metric.alias in latest and "/" not in metric.name]
            assert len(known) > 30
            for metric in known:
                field = metric.WhichOneof("value")
                found = (metric.timestamp, getattr(metric, field) if field else None)
                assert found >= latest[metric.alias]


def test_a_device_that_cannot_be_read_is_dead_and_silent_until_it_is_born_again(said: list[Said]) -> None:
    lost = [one for one in said if one.connection == 1 and one.topic.device == "furnace-2"]
    kinds = [one.type for one in lost]
    death = kinds.index(DDEATH)
    assert kinds.count(DDEATH) == 1
    assert kinds[death + 1 : death + 3] == [DBIRTH, DDATA]
    bad = [metric for metric in lost[death - 1].payload.metrics[1:]]
    assert bad
    assert all(metric.is_null for metric in bad)


def test_the_neighbour_of_a_dead_device_goes_on(said: list[Said]) -> None:
    death = next(at for at, one in enumerate(said) if one.type is DDEATH)
    born = next(at for at, one in enumerate(said) if at > death and one.type is DBIRTH)
    assert [one.topic.device for one in said[death:born] if one.type is DDATA].count("furnace-1") >= 2


def test_only_what_changed_is_reported(said: list[Said]) -> None:
    channels = {one.topic.device: len(one.payload.metrics) for one in said if one.type is DBIRTH}
    sizes = [(len(one.payload.metrics), channels[one.topic.device]) for one in said if one.type is DDATA]
    assert sum(size < announced / 2 for size, announced in sizes) > len(sizes) / 2


def test_names_and_ids_do_not_differ_by_case_alone(said: list[Said]) -> None:
    names: dict[str, set[str]] = defaultdict(set)
    for one in said:
        for metric in one.payload.metrics if one.type in BIRTHS else ():
            names[metric.name.lower()].add(metric.name)
        names[(one.topic.device or "").lower()].add(one.topic.device or "")
    assert all(len(forms) == 1 for forms in names.values())


def test_times_of_a_channel_rise(said: list[Said]) -> None:
    times: dict[int, list[int]] = defaultdict(list)
    for one in said:
        for metric in one.payload.metrics[1:] if one.type in DATA and one.connection == 1 else ():
            if not metric.is_historical:
                times[metric.alias].append(metric.timestamp)
    assert len(times) > 70
    assert all(before < after for found in times.values() for before, after in pairwise(found))
