import numpy as np

from ingest_service.api.page.curve_picture import HEIGHT, WIDTH, Curves, bands, picture
from ingest_service.cycles.cycle import Cycle, FoundBy

START = 495_000 * 3_600_000
MINUTE = 60_000
CYCLE = Cycle(
    furnace_id=1,
    case_number="f1-20260621-0810",
    found_by=FoundBy.SIGNALS,
    start_ms=START,
    charge_ms=START + 10 * MINUTE,
    ignition_ms=START + 12 * MINUTE,
    main_ms=None,
    burnout_ms=START + 60 * MINUTE,
    cooling_ms=START + 80 * MINUTE,
    end_ms=START + 100 * MINUTE,
    chamber2_limit_c=850.0,
    co2_kg_per_m3=2.0,
)


def curves(o2_pct: float = 10.5, co: float = 50.0) -> Curves:
    chamber2 = np.full(100, 850.0)
    chamber2[40:50] = np.nan
    return Curves(START, chamber2, np.full(100, o2_pct), np.full(100, co))


def test_phases_fill_the_width_and_one_that_was_not_seen_belongs_to_the_one_before() -> None:
    found = bands(CYCLE)
    assert [band.phase for band in found] == ["preheat", "charge", "ignition", "burnout", "cooling"]
    assert found[0].x == 0.0
    assert round(sum(band.width for band in found), 6) == WIDTH
    assert found[2].width == 172.8  # 48 of 100 minutes


def test_a_gap_breaks_the_curve() -> None:
    lines = {line.quantity: line.stretches for line in picture(CYCLE, curves()).lines}
    assert [len(stretch.split()) for stretch in lines["chamber2_temperature"]] == [40, 50]
    assert [len(stretch.split()) for stretch in lines["flue_o2"]] == [100]


def test_the_limit_lies_where_the_temperature_that_equals_it_is_drawn() -> None:
    drawn = picture(CYCLE, curves())
    first = drawn.lines[0].stretches[0].split()[0]
    assert float(first.split(",")[1]) == drawn.limit_y


def test_every_point_lies_within_the_picture_whatever_was_measured() -> None:
    drawn = picture(CYCLE, curves(o2_pct=40.0, co=3_000.0))
    points = [point for line in drawn.lines for stretch in line.stretches for point in stretch.split()]
    places = [tuple(map(float, point.split(","))) for point in points]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
    assert drawn.co_top == 3_000.0


def test_a_cremation_without_any_curve_still_has_its_phases() -> None:
    nothing = np.full(100, np.nan)
    drawn = picture(CYCLE, Curves(START, nothing, nothing, nothing))
    assert [line.stretches for line in drawn.lines] == [(), (), ()]
    assert len(drawn.bands) == 5
