"""Which language a reader gets: what the address asks for, what they chose before, what their browser prefers. Pure."""

from collections.abc import Mapping

from ingest_service.alarms.vocabulary import Locale

COOKIE = "lang"


def chosen(query: Mapping[str, str], cookies: Mapping[str, str], accepts: str) -> Locale:
    """The reader's language; Chinese where nothing says otherwise."""
    for wanted in (query.get("lang"), cookies.get(COOKIE), *_preferred(accepts)):
        if wanted in list(Locale):
            return Locale(wanted)
    return Locale.ZH


def _preferred(accepts: str) -> list[str]:
    """The languages of an Accept-Language header, most wanted first, without their regions."""
    weighed = [_weighed(part) for part in accepts.split(",") if part.strip()]
    return [language for _, language in sorted(weighed, key=lambda pair: -pair[0])]


def _weighed(part: str) -> tuple[float, str]:
    tag, _, weight = part.strip().partition(";q=")
    try:
        return float(weight or 1), tag.partition("-")[0].lower()
    except ValueError:
        return 0.0, tag.partition("-")[0].lower()
