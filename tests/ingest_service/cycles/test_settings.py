import msgspec
import pytest

from ingest_service.config import Config
from ingest_service.cycles.settings import Cremations, StackArea

SET = Cremations(
    stack_area_m2=0.1,
    stack=(StackArea(home="h1", area_m2=0.2), StackArea(home="h1", furnace="f2", area_m2=0.3)),
)


@pytest.mark.parametrize(
    ("home", "furnace", "area_m2"),
    [
        pytest.param("h1", "f2", 0.3, id="a furnace's own area goes before its home's"),
        pytest.param("h1", "f1", 0.2, id="a home's area goes before everybody's"),
        pytest.param("h2", "f1", 0.1, id="everybody's holds where nothing else is set"),
    ],
)
def test_the_most_specific_area_counts(home: str, furnace: str, area_m2: float) -> None:
    assert SET.area_of(home, furnace) == area_m2


def test_without_any_area_none_is_known() -> None:
    assert Config().cremations.area_of("h1", "f1") is None


@pytest.mark.parametrize(
    "wrong", [{"stack_area_m2": 0.0}, {"chamber2_least_c": -1.0}, {"co2_kg_per_m3": 99.0}, {"c": 1}]
)
def test_what_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"cremations": wrong}, Config)
