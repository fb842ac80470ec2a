"""Series by the names that a store which others read has for them, as far as a reader may see."""

from collections.abc import Collection

import msgspec
from sqlalchemy import select

from ingest_service.store.derived.point import Tags, tags_of
from ingest_service.store.overview import Reader
from ingest_service.store.remote.names import series_name
from ingest_service.store.tables import Edge, Furnace, Series, Source


class NamedSeries(msgspec.Struct, frozen=True):
    """A series with the tags and the field by which external stores know it."""

    id: int
    source_id: int
    tags: Tags
    channel: str


def named_series(
    reader: Reader, channels: Collection[str] | None = None, sources: Collection[int] | None = None
) -> list[NamedSeries]:
    """The series of these channels and sources (of all, where None), by id."""
    query = (
        select(
            Series.id, Series.source_id, Edge.home_id.label("home"), Edge.name.label("edge"), Source.device,
            Series.channel, Furnace.name.label("furnace"),
        )
        .join(Source, Source.id == Series.source_id)
        .join(Edge, Edge.id == Source.edge_id)
        .outerjoin(Furnace, Furnace.id == Source.furnace_id)
        .where(reader.scope.admits(Edge.home_id))
        .order_by(Series.id)
    )  # fmt: skip
    if channels is not None:
        query = query.where(Series.channel.in_(sorted(channels)))
    if sources is not None:
        query = query.where(Source.id.in_(sorted(sources)))
    return [_named(*row.values()) for row in reader.rows(query)]


def _named(
    series_id: int, source_id: int, home: str, edge: str, device: str, channel: str, furnace: str | None
) -> NamedSeries:
    name = series_name(series_id, source_id, home, edge, device, channel, furnace)
    tags = tags_of(home=name.home, edge=name.edge, device=name.device, furnace=name.furnace)
    return NamedSeries(name.series_id, name.source_id, tags, name.channel)
