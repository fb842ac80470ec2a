import pytest

from ingest_service.alarms.vocabulary import Locale
from ingest_service.api.page.hour_bar import Against, HourBar
from ingest_service.api.page.standing import Pollution, Stand, standing_of
from ingest_service.api.page.texts import texts


def of(name: str, against: Against | None, *, warns: bool = False, doubtful: bool = False) -> Pollution:
    if against is None:
        return Pollution(name, None, warns, doubtful)
    return Pollution(name, HourBar("co", name, "1.0", "2", "mg/m³", 50.0, against, 30, ""), warns, doubtful)


BELOW, OVER = Against.BELOW, Against.OVER


@pytest.mark.parametrize(
    ("found", "stand", "sentence"),
    [
        pytest.param([of("CO", BELOW), of("SO₂", BELOW)], Stand.WITHIN, "All within their limits so far.", id="all"),
        pytest.param([of("CO", OVER), of("HCl", OVER)], Stand.OVER, "Over the limit so far: CO, HCl.", id="two over"),
        pytest.param(
            [of("CO", BELOW, warns=True), of("HCl", None)],
            Stand.AHEAD,
            "All within their limits so far, but at this rate over by the end of the hour: CO. No mean yet: HCl.",
            id="one on its way, one unknown",
        ),
        pytest.param(
            [of("CO", OVER), of("HCl", BELOW, warns=True)],
            Stand.OVER,
            "Over the limit so far: CO.",
            id="what is over hides what is on its way",
        ),
        pytest.param(
            [of("CO", BELOW, doubtful=True), of("HCl", BELOW)],
            Stand.WITHIN,
            "All within their limits so far. Not to be trusted: CO.",
            id="one that is stuck",
        ),
        pytest.param([of("CO", None)], Stand.UNKNOWN, "No mean of this hour yet.", id="nothing yet"),
    ],
)
def test_one_sentence_says_how_a_furnace_stands_against_its_limits(
    found: list[Pollution], stand: Stand, sentence: str
) -> None:
    standing = standing_of(found, texts(Locale.EN))
    assert (standing.stand, standing.sentence) == (stand, sentence)
