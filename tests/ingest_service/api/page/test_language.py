import pytest

from ingest_service.alarms.vocabulary import Locale
from ingest_service.api.page.language import chosen


@pytest.mark.parametrize(
    ("query", "cookies", "accepts", "locale"),
    [
        pytest.param({}, {}, "", Locale.ZH, id="Chinese where nothing says otherwise"),
        pytest.param({}, {}, "en-GB,en;q=0.9,zh;q=0.1", Locale.EN, id="what the browser prefers"),
        pytest.param({}, {}, "fr;q=0.9, en;q=0.3, zh-CN;q=0.7", Locale.ZH, id="the most wanted that there is"),
        pytest.param({}, {}, "en;q=nonsense", Locale.EN, id="a garbled weight counts little"),
        pytest.param({}, {"lang": "en"}, "zh", Locale.EN, id="the choice made before"),
        pytest.param({"lang": "zh"}, {"lang": "en"}, "en", Locale.ZH, id="what the address asks for"),
        pytest.param({"lang": "xx"}, {"lang": ""}, "*", Locale.ZH, id="no language at all"),
    ],
)
def test_the_readers_language(query: dict[str, str], cookies: dict[str, str], accepts: str, locale: Locale) -> None:
    assert chosen(query, cookies, accepts) is locale
