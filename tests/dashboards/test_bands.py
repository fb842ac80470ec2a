"""What is expected is drawn as an area between two lines that exist, and only there where something is watched."""

import pytest

from dashboards.pages import pages
from dashboards.text import Locale, quantity
from dashboards.types import DashboardJson, PanelJson
from ingest_service.anomaly.watched import WATCHED

FURNACE = [
    pytest.param(locale, page, id=f"{dialect}/{locale}")
    for dialect, locale, board, page in pages()
    if board.name == "furnace"
]


def overrides(panel: PanelJson) -> dict[str, dict[str, object]]:
    """By the name of a line what is set for it."""
    assert panel.field_config is not None
    return {
        one.matcher.options: {prop.id: prop.value for prop in one.properties} for one in panel.field_config.overrides
    }


def names(panel: PanelJson) -> set[str]:
    """What its queries call their columns."""
    text = " ".join((target.query or "") + f' AS "{target.legend_format}"' for target in panel.targets or [])
    return set(text.split('"')[1::2])


@pytest.mark.parametrize(("locale", "page"), FURNACE)
def test_every_watched_quantity_has_its_band_in_its_own_colour(locale: Locale, page: DashboardJson) -> None:
    found = set()
    for panel in page.panels:
        own = overrides(panel) if panel.field_config is not None else {}
        for high, set_for in own.items():
            if "custom.fillBelowTo" in set_for:
                low = str(set_for["custom.fillBelowTo"])
                assert {low, high} <= names(panel)
                assert own[low]["custom.lineWidth"] == set_for["custom.lineWidth"] == 0
                (name,) = (name for name in WATCHED if high.startswith(quantity(name).of(locale)))
                assert own[quantity(name).of(locale)]["color"] == set_for["color"]
                found.add(name)
    assert found == set(WATCHED)


@pytest.mark.parametrize(("locale", "page"), FURNACE)
def test_a_panel_with_a_band_says_that_it_is_no_limit(locale: Locale, page: DashboardJson) -> None:
    said = {
        Locale.ZH: "不是法定限值；少于 8 次时没有色带",
        Locale.EN: "no legal limit. With fewer than 8 there is none",
    }
    for panel in page.panels:
        if panel.field_config is not None and any("fillBelowTo" in str(one) for one in panel.field_config.overrides):
            assert said[locale] in (panel.description or "")
