"""Selectors in PromQL and what the server exports: text out, columns in. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec

from ingest_service.errors import StoreError
from ingest_service.store.remote.names import SeriesName, by_edge


class Exported(msgspec.Struct, frozen=True):
    """One series of an export: labels (`__name__` is the metric), values (None is none) and times in ms."""

    metric: dict[str, str]
    values: Sequence[float | None]
    timestamps: Sequence[int]


class Instant(msgspec.Struct, frozen=True):
    """One series of an answer at one moment; the value is text."""

    metric: dict[str, str]
    value: tuple[float, str]


class Range(msgspec.Struct, frozen=True):
    """One series of an answer at many moments, s; the values are text."""

    metric: dict[str, str]
    values: Sequence[tuple[float, str]]


class _Answer(msgspec.Struct, frozen=True):
    status: str = ""
    error: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Instants(msgspec.Struct, frozen=True):
    result: Sequence[Instant] = ()


class _Ranges(msgspec.Struct, frozen=True):
    result: Sequence[Range] = ()


_Kind = TypeVar("_Kind", _Instants, _Ranges)
_EXPORTED = msgspec.json.Decoder(Exported)


def selectors(measurements: Sequence[str], names: Iterable[SeriesName]) -> list[str]:
    """Selectors for these series of these measurements: one an edge."""
    found = []
    for (home, edge), own in by_edge(names).items():
        channels = "|".join(sorted({re.escape(name.channel) for name in own}))
        devices = "|".join(sorted({re.escape(name.device) for name in own}))
        metric = f"(?:{'|'.join(measurements)})_(?:{channels})"
        labels = f"home={literal(home)},edge={literal(edge)},device=~{literal(devices)}"
        found.append(f"{{__name__=~{literal(metric)},{labels}}}")
    return found


def literal(text: str) -> str:
    """A string as PromQL writes it."""
    return msgspec.json.encode(text).decode()


def exported(body: bytes) -> Iterator[Exported]:
    """The series of an export, one a line. Raises StoreError for what is none."""
    for line in body.splitlines():
        if line.strip():
            try:
                yield _EXPORTED.decode(line)
            except msgspec.DecodeError as error:
                raise StoreError(f"the answer is not understood: {error}") from error


def instants(body: bytes) -> Sequence[Instant]:
    """The series of an answer about one moment. Raises StoreError when it says why not."""
    return _decoded(body, _Instants).result


def ranges(body: bytes) -> Sequence[Range]:
    """The series of an answer about many moments. Raises StoreError when it says why not."""
    return _decoded(body, _Ranges).result


def _decoded(body: bytes, kind: type[_Kind]) -> _Kind:
    try:
        answer = msgspec.json.decode(body, type=_Answer)
        if answer.status == "success":
            return msgspec.json.decode(answer.data, type=kind)
    except msgspec.DecodeError as error:
        raise StoreError(f"the answer is not understood: {error}") from error
    raise StoreError(answer.error or "no success")
