from decimal import Decimal

import pytest

from edge_agent.devices.register_list.meaning import Certainty, Meaning, Refusal, guess_meaning
from edge_agent.wire.quantity import quantities

SURE = [
    ("主燃室温度", "℃", "chamber1_temperature"),
    ("再燃室出口温度", "℃", "chamber2_temperature"),
    ("Secondary chamber temp", "degC", "chamber2_temperature"),
    ("PrimaryChamberTemp", "°C", "chamber1_temperature"),
    ("炉膛负压", "Pa", "chamber_draught"),
    ("烟气含氧量", "%", "flue_o2"),
    ("O2", "%vol", "flue_o2"),
    ("CO浓度", "mg/m³", "co"),
    ("SO2", "mg/Nm3", "so2"),
    ("NOx_conc", "mg/m3", "nox"),
    ("氯化氢", "mg/m3", "hcl"),
    ("颗粒物", "mg/m3", "dust"),
    ("烟气流速", "m/s", "stack_velocity"),
    ("烟气温度", "℃", "stack_temperature"),
    ("烟气湿度", "%", "stack_moisture"),
    ("引风机频率", "Hz", "induced_fan_frequency"),
    ("ID fan freq", "Hz", "induced_fan_frequency"),
    ("引风机电流", "A", "induced_fan_current"),
    ("天然气瞬时流量", "Nm3/h", "gas_flow"),
    ("天然气累计流量", "Nm3", "gas_total"),
    ("布袋除尘器压差", "Pa", "filter_pressure_drop"),
    ("布袋进口温度", "℃", "filter_inlet_temperature"),
    ("急冷塔出口温度", "℃", "cooler_outlet_temperature"),
    ("活性炭投加量", "kg/h", "carbon_dosing"),
    ("Total active power", "kW", "electricity_power"),
    ("火化累计", "", "cremations_total"),
    ("炉门开", "", "charge_door_open"),
    ("主燃烧器运行", "", "burner1_on"),
    ("burner 2 on", "", "burner2_on"),
]


@pytest.mark.parametrize(("name", "unit", "quantity"), SURE, ids=[name for name, _, _ in SURE])
def test_a_name_with_its_unit_says_the_quantity(name: str, unit: str, quantity: str) -> None:
    is_bit = quantities()[quantity].unit == "" and quantity.endswith(("_on", "_open", "_in"))
    assert guess_meaning(name, unit, is_bit=is_bit) == Meaning(quantity, Decimal(1), Certainty.SURE)


@pytest.mark.parametrize(
    ("name", "unit", "quantity", "factor"),
    [
        ("炉膛负压", "kPa", "chamber_draught", "1000"),
        ("CO", "ppm", "co", "1.24967"),
        ("SO2", "ppm", "so2", "2.85804"),
        ("NOx", "ppm", "nox", "2.05273"),
        ("total system power", "W", "electricity_power", "0.001"),
        ("布袋压差", "mmH2O", "filter_pressure_drop", "9.80665"),
    ],
)
def test_a_unit_of_the_same_kind_comes_with_its_factor(name: str, unit: str, quantity: str, factor: str) -> None:
    guess = guess_meaning(name, unit, is_bit=False)
    assert isinstance(guess, Meaning)
    assert (guess.quantity, guess.factor) == (quantity, Decimal(factor))


@pytest.mark.parametrize(
    ("name", "unit", "said"),
    [
        ("含氧量", "", "taken to be in %"),
        ("T1", "℃", "a code"),
    ],
)
def test_a_guess_without_enough_support_is_doubted(name: str, unit: str, said: str) -> None:
    guess = guess_meaning(name, unit, is_bit=False)
    assert isinstance(guess, Meaning)
    assert guess.certainty is Certainty.UNSURE
    assert said in guess.doubt


@pytest.mark.parametrize(
    ("name", "unit", "is_bit", "said"),
    [
        ("SO2折算浓度", "mg/m3", False, "折算"),
        ("主燃室温度设定值", "℃", False, "设定"),
        ("O2 alarm limit", "%", False, "alarm"),
        ("CO报警", "", True, "报警"),
        ("含氧量", "mg/m3", False, "its unit is mg/m3"),
        ("CO", "", True, "this is one bit"),
    ],
)
def test_what_is_not_the_measured_value_gets_no_quantity(name: str, unit: str, is_bit: bool, said: str) -> None:
    guess = guess_meaning(name, unit, is_bit=is_bit)
    assert isinstance(guess, Refusal)
    assert said in guess.why


@pytest.mark.parametrize("name", ["备用", "Pump 3 speed", "version", "coordinate", "tonnage", "", "CO2"])
def test_a_name_of_something_else_is_left_alone(name: str) -> None:
    assert guess_meaning(name, "", is_bit=False) is None


# Named after the thing alone, which does not say which way round its bit is.
_EITHER_WAY_ROUND = ("burner1_on", "burner2_on", "charge_door_open", "ash_door_open", "trolley_in")


@pytest.mark.parametrize("quantity", _EITHER_WAY_ROUND)
def test_the_name_of_a_thing_alone_does_not_say_what_its_bit_means(quantity: str) -> None:
    entry = quantities()[quantity]
    assert guess_meaning(entry.zh, "", is_bit=True) is None
    assert guess_meaning(entry.en, "", is_bit=True) is None


@pytest.mark.parametrize("quantity", sorted(quantities().keys() - {"scan_counter", *_EITHER_WAY_ROUND}))
def test_our_own_names_are_understood_in_both_languages(quantity: str) -> None:
    entry = quantities()[quantity]
    for name in (entry.zh, entry.en):
        guess = guess_meaning(name, entry.unit, is_bit=False)
        assert isinstance(guess, Meaning), name
        assert guess.quantity == quantity
