import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.devices.register_list.cells import CellError
from edge_agent.devices.register_list.numbers import parse_number, parse_range, parse_scale, parse_states


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.1", 0.1),
        ("0,1", 0.1),
        ("x0.1", 0.1),
        ("×10", 10.0),
        ("*0.01", 0.01),
        ("/10", 0.1),
        ("÷100", 0.01),
        ("1/10", 0.1),
        ("10倍", 10.0),
        ("1", 1.0),
        ("1e-3", 0.001),
        ("-0.5", -0.5),
    ],
)
def test_a_scale_is_what_the_raw_number_is_multiplied_by(text: str, expected: float) -> None:
    assert parse_scale(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "ten", "0", "/0", "0.1 or 0.01"])
def test_what_is_no_scale_is_refused(text: str) -> None:
    with pytest.raises(CellError):
        parse_scale(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0-1000", (0, 1000)),
        ("0~1000", (0, 1000)),
        ("0～1300℃", (0, 1300)),
        ("0..25", (0, 25)),
        ("0…25", (0, 25)),
        ("-200~50", (-200, 50)),
        ("-200-50", (-200, 50)),
        ("-200--50", (-200, -50)),
        ("0 to 25 %", (0, 25)),
        ("0至100", (0, 100)),
        ("(0, 1000)", (0, 1000)),
        ("[0,25]", (0, 25)),
        ("±500", (-500, 500)),
        ("+/-500 Pa", (-500, 500)),
        ("0-1000 mg/m3", (0, 1000)),
        ("0.0-27.648", (0, 27.648)),
    ],
)
def test_a_range_is_read_as_lists_write_it(text: str, expected: tuple[float, float]) -> None:
    assert parse_range(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "100", "5-1", "3-3", "0,5-1,5,7", "a-b", "1-2-3"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(CellError):
        parse_range(text)


def test_a_comma_before_three_digits_is_not_guessed_at() -> None:
    with pytest.raises(CellError, match=r"may be 1\.000 or 1000"):
        parse_number("1,000")


@given(st.floats(-1e6, 1e6).map(lambda x: round(x, 3)), st.floats(0.001, 1e6).map(lambda x: round(x, 3)))
def test_a_range_of_any_two_numbers_comes_back(low: float, width: float) -> None:
    high = round(low + width, 3)
    assert parse_range(f"{low}~{high}") == (low, high)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0=停止 1=运行", {0: "停止", 1: "运行"}),
        ("0：停止；1：运行；2：故障", {0: "停止", 1: "运行", 2: "故障"}),
        ("0: off, 1: heating up, 3: on", {0: "off", 1: "heating up", 3: "on"}),
        ("0-idle/1-run", {0: "idle", 1: "run"}),
        ("state, 0=idle\n1=run", {0: "idle", 1: "run"}),
        ("1=运行", {}),
        ("range 0-1000", {}),
        ("4-20mA", {}),
        ("", {}),
    ],
)
def test_the_codes_that_a_comment_explains_are_found(text: str, expected: dict[int, str]) -> None:
    assert parse_states(text) == expected
