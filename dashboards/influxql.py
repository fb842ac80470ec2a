"""Asks in InfluxQL, for InfluxDB 1 to 3 and for the service itself."""

from collections.abc import Sequence

from dashboards.asking import Ask, Match, Shape
from dashboards.text import Locale


def statement(asks: Sequence[Ask], shape: Shape, locale: Locale) -> str:
    """One statement for asks of the same measurement, tags and conditions."""
    first = asks[0]
    items = ", ".join(_item(ask, locale) for ask in asks)
    conditions = ["$timeFilter", *(_match(one) for one in first.where), *(f'"{field}" = 1' for field in first.only)]
    text = f'SELECT {items} FROM "{first.measurement}" WHERE {" AND ".join(conditions)}'
    return text + _grouped(first, shape)


def tag_values(measurement: str, tag: str, where: Sequence[Match]) -> str:
    """The values of a tag, for a variable."""
    conditions = " AND ".join(_match(one) for one in where)
    return f'SHOW TAG VALUES FROM "{measurement}" WITH KEY = "{tag}"' + (f" WHERE {conditions}" if conditions else "")


def events(kind: str, where: Sequence[Match], locale: Locale) -> str:
    """Events of a kind with what annotations need."""
    conditions = " AND ".join(["$timeFilter", *(_match(one) for one in where), f"\"kind\" = '{kind}'", '"holds" = 1'])
    fields = f'"title_{locale}" AS "title", "text_{locale}" AS "text", '
    fields += f'"end_ms" AS "end", "home_{locale}" AS "home", "furnace_{locale}" AS "furnace"'
    return f'SELECT {fields} FROM "event" WHERE {conditions}'


def _item(ask: Ask, locale: Locale) -> str:
    return f'{ask.aggregate}("{ask.field}") AS "{ask.name.of(locale)}"'


def _grouped(ask: Ask, shape: Shape) -> str:
    tags = [f'"{tag}"' for tag in ask.by]
    if shape is not Shape.OVER_TIME:
        return f" GROUP BY {', '.join(tags)}" if tags else ""
    window = ask.window or "$__interval"
    return f" GROUP BY {', '.join([f'time({window})', *tags])} fill(null)"


def _match(match: Match) -> str:
    return f'"{match.tag}" =~ /^${match.variable}$/' if match.variable else f"\"{match.tag}\" = '{match.text}'"
